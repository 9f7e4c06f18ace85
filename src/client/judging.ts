import { fitsNumber, receive } from './answer.js'
import type { Outcome } from './attempts.js'
import type { Format } from './documents.js'
import { remember } from './forgetting.js'
import { startTicksOf, timescaleOf } from './decodeTime.js'
import { firstListed, fromNumber, isPlaylist, newestListed } from './playlists.js'
import type { Crypto, HttpAnswer } from './ports.js'
import type { Resource } from './resources.js'
import { isStale, type RouteBook } from './route.js'

/** An answer that may be given to the player. */
export interface Valid {
  readonly bytes: Uint8Array
  /** Null: a playlist, or nothing that states a hash. */
  readonly sha256: string | null
}

export type Judgement =
  | ({ readonly _tag: 'valid' } & Valid)
  /** `fallback`: an older playlist, better than none. */
  | { readonly _tag: 'bad'; readonly outcome: Outcome; readonly fallback?: Valid }

export interface JudgeOptions {
  readonly crypto: Crypto
  readonly format: Format
  readonly book: () => RouteBook
}

const rememberedMax = 32
const decoder = new TextDecoder()
const encoder = new TextEncoder()

/** Says what an answer is worth: bytes against their hash, segments against their number, playlists against the one before. */
export class Judge {
  readonly #options: JudgeOptions
  /** Ticks per second, by rendition. */
  readonly #timescales = new Map<string, number>()
  /** First number that a player has been told, by playlist. */
  readonly #firsts = new Map<string, number>()

  constructor(options: JudgeOptions) {
    this.#options = options
  }

  async judge(server: string, resource: Resource, answer: HttpAnswer): Promise<Judgement> {
    const { crypto, book } = this.#options
    const received = receive(answer)
    if (received._tag === 'none') {
      const isAbsent = received.outcome === 'status' && answer.status === 404 && resource.kind !== 'segment'
      return { _tag: 'bad', outcome: isAbsent ? 'gone' : received.outcome }
    }
    if (resource.kind === 'playlist') return this.#playlist(resource, decoder.decode(answer.body))
    // Segments of ours always state a hash; what else a server offers need not.
    const isBare = received.sha256 === null && resource.kind !== 'segment'
    const sha256 = isBare ? null : await crypto.sha256(answer.body)
    if (sha256 !== received.sha256) return { _tag: 'bad', outcome: 'hash' }
    if (resource.kind !== 'segment' || resource.number === null) return plain(answer.body, sha256)
    if (isStale(book(), resource.number, server, received.epoch)) return { _tag: 'bad', outcome: 'stale' }
    return this.#segment(resource.rendition, resource.number, answer.body, sha256)
  }

  /** Remembers what segments of this rendition are to look like. */
  noteInit(rendition: string, bytes: Uint8Array): void {
    const timescale = timescaleOf(bytes)
    if (timescale !== null) remember(this.#timescales, rendition, timescale, rememberedMax)
  }

  #segment(rendition: string, number: number, bytes: Uint8Array, sha256: string | null): Judgement {
    const startTicks = startTicksOf(bytes)
    const timescale = this.#timescales.get(rendition)
    const { segmentTicks } = this.#options.format
    const fits =
      startTicks !== null && (timescale === undefined || fitsNumber(startTicks, timescale, number, segmentTicks))
    return fits ? plain(bytes, sha256) : { _tag: 'bad', outcome: 'malformed' }
  }

  #playlist(resource: Resource, text: string): Judgement {
    if (!isPlaylist(text)) return { _tag: 'bad', outcome: 'malformed' }
    const valid = plain(encoder.encode(this.#steady(resource, text)), null)
    const newest = newestListed(text)
    const lacks = resource.number !== null && newest !== null && newest < resource.number
    return lacks ? { _tag: 'bad', outcome: 'not-yet', fallback: valid } : valid
  }

  #steady({ path }: Resource, text: string): string {
    const name = path.replace(/\?.*$/, '')
    const known = this.#firsts.get(name) ?? 0
    const steady = fromNumber(text, known)
    const first = firstListed(steady)
    if (first !== null) remember(this.#firsts, name, Math.max(known, first), rememberedMax)
    return steady
  }
}

const plain = (bytes: Uint8Array, sha256: string | null): { readonly _tag: 'valid' } & Valid => ({
  ...{ _tag: 'valid', bytes, sha256 },
})
