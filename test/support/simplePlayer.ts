import {
  createPlayerSession,
  type Delivery,
  type PlayerEvents,
  type PlayerSession,
  type PlayerSessionOptions,
} from '../../src/client/index.js'
import { segmentMs } from './madeUpStream.js'
import type { ViewerWorld } from './viewerWorld.js'

type Told = { readonly [K in keyof PlayerEvents]: Array<PlayerEvents[K]> }

/**
 * A player as simple as can be: reloads the video playlist, waiting for the next number, takes the segment, and so on.
 * Its picture begins `latencyMs` behind live and stands still when nothing is left.
 */
export class SimplePlayer {
  readonly told: Told = {
    ready: [],
    routed: [],
    handover: [],
    stall: [],
    recovered: [],
    trouble: [],
    skipped: [],
    ignored: [],
    refused: [],
    ended: [],
  }
  readonly taken: Array<{ readonly number: number; readonly server: string; readonly atMs: number }> = []
  readonly errors: Error[] = []
  readonly session: PlayerSession
  /** Track of the picture: set it to change the bitrate from the next number on. */
  rendition = 'video'
  /** What the picture stood still. */
  stallMs = 0
  #endMs = 0
  #lagMs = 0

  constructor(
    private readonly world: ViewerWorld,
    options: Partial<PlayerSessionOptions> & { readonly skewMs?: number } = {},
  ) {
    const { skewMs = 0, ...rest } = options
    const bootstrap = [world.a.url, world.b.url]
    this.session = createPlayerSession({ stream: world.stream, bootstrap, ...world.ports(skewMs), ...rest })
    for (const type of Object.keys(this.told) as Array<keyof PlayerEvents>) {
      this.session.on(type, (event) => (this.told[type] as Array<object>).push(event))
    }
    void this.#play()
  }

  get numbers(): ReadonlyArray<number> {
    return this.taken.map(({ number }) => number)
  }

  async #play(): Promise<void> {
    const { session } = this
    try {
      await session.request(session.url())
      await session.request(session.url('video/init.mp4'))
      const listed = textOf(await session.request(session.url('video.m3u8')))
      let number = newestIn(listed) - Math.ceil((session.latencyMs - 300) / segmentMs) + 1
      for (;;) {
        await session.request(session.url(`video.m3u8?_HLS_msn=${number}`))
        this.#take(await session.request(session.url(`${this.rendition}/${number}.m4s`)))
        number += 1
      }
    } catch (error) {
      this.errors.push(error as Error)
    }
  }

  #take({ number, server }: Delivery): void {
    const atMs = this.world.clock.now()
    const startMs = (number ?? 0) * segmentMs
    if (this.taken.length === 0) this.#lagMs = this.session.latencyMs
    const stoodMs = this.taken.length === 0 ? 0 : Math.max(0, atMs - this.#lagMs - this.#endMs)
    this.stallMs += stoodMs
    this.#lagMs += stoodMs
    this.#endMs = startMs + segmentMs
    this.taken.push({ number: number ?? 0, server, atMs })
  }
}

const textOf = ({ bytes }: Delivery): string => new TextDecoder().decode(bytes)
const newestIn = (playlist: string): number => Number(/(\d+)\.m4s\s*$/.exec(playlist)?.[1])
