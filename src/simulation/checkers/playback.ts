import { segmentBytes } from '../media/bytes.js'
import type { Checker, CheckerContext } from './checker.js'

export interface PlaybackContext extends CheckerContext {
  /** Why the viewer may have to do without a number at this moment; null: somebody could give it. */
  readonly excuse: (viewer: string, number: number) => string | null
}

/** Invariant 2, by what each viewer hands to its decoder. */
export function checkPlayback({ violated, excuse }: PlaybackContext): Checker {
  const last = new Map<string, number>()
  const wrong = (message: string): void => violated('playback', message)
  return {
    played: (viewer, number, { video, audio }) => {
      const before = last.get(viewer)
      last.set(viewer, number)
      if (before !== undefined && number <= before) wrong(`${viewer} played ${number} after ${before}`)
      if (before !== undefined && number > before + 1) wrong(`${viewer} played ${number} after ${before}, unannounced`)
      const right =
        video === segmentBytes(number, 'video', 0).sha256 && audio === segmentBytes(number, 'audio', 0).sha256
      if (!right) wrong(`${viewer} played other bytes than those of ${number}`)
    },
    skipped: (viewer, from, to) => {
      // Once it has to leave out one, it is for the viewer to choose where to go on.
      if (excuse(viewer, from) === null) wrong(`${viewer} left out ${from} to ${to - 1} without need`)
      last.set(viewer, to - 1)
    },
    viewerEnded: (viewer, reason) => {
      if (reason !== 'stopped') wrong(`${viewer} gave up: ${reason}`)
    },
  }
}
