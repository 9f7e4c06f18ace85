import type { PlayedSegment, SessionEvents, ViewerSession } from '../../src/client/index.js'
import type { SimulatedClock } from './simulatedClock.js'

type Recorded = {
  readonly [K in keyof SessionEvents]: Array<SessionEvents[K] & { readonly atMs: number }>
}

/** A viewer and everything it said. */
export class RecordedViewer {
  readonly said: Recorded = {
    ready: [],
    segment: [],
    routed: [],
    handover: [],
    stall: [],
    recovered: [],
    trouble: [],
    ignored: [],
    refused: [],
    skipped: [],
    ended: [],
  }

  constructor(
    readonly session: ViewerSession,
    clock: SimulatedClock,
  ) {
    for (const type of Object.keys(this.said) as Array<keyof SessionEvents>) {
      session.on(type, (event) => {
        ;(this.said[type] as Array<object>).push({ ...event, atMs: clock.now() })
      })
    }
    session.start()
  }

  get numbers(): ReadonlyArray<number> {
    return this.said.segment.map((segment) => segment.number)
  }

  get last(): (PlayedSegment & { readonly atMs: number }) | undefined {
    return this.said.segment.at(-1)
  }

  servedBy(number: number): string | undefined {
    return this.said.segment.find((segment) => segment.number === number)?.server.video
  }
}
