import { randomBytes } from 'node:crypto'
import * as E from 'fp-ts/lib/Either.js'
import { FeedRing, type FileJournal, type PublishedFeed } from '../media/feed/index.js'
import { soundCount, type MediaTicks, type StreamFormat } from '../media/format.js'
import {
  Contribution,
  FeedMirror,
  formatName,
  type Beginning,
  type ContributionFacts,
  type ContributionOptions,
  type IngestError,
} from '../media/ingest/index.js'
import { askPartner } from './ingestPartner.js'

export interface FeedKeeperOptions {
  readonly stream: string
  readonly format: StreamFormat
  /** Base address of the ingest that has the same contribution; null: there is none. */
  readonly partnerUrl: string | null
  /** How long the partner's feed may be silent before it is gone on with here. */
  readonly takeOverMs: number
  /** Asked before that: false when the partner is known to be on air, although it cannot be reached from here. */
  readonly mayTakeOver: () => Promise<boolean>
  readonly journal: FileJournal | null
  readonly keepMs?: number
  readonly contribution: Omit<ContributionOptions, 'ring' | 'resume' | 'startTicksMin' | 'heldAt' | 'shortGroups'>
  /** What an earlier run has left. */
  readonly beginning: () => E.Either<IngestError, Beginning>
  /** Readers are to connect anew. */
  readonly cutReaders: () => void
  readonly onChange: (
    state: { readonly type: 'following' } | { readonly type: 'tookOver'; readonly reason: string },
  ) => void
}

interface OnAir {
  readonly type: 'onAir'
  readonly feed: Pick<PublishedFeed, 'ring' | 'incarnation' | 'before'>
  readonly contribution: Contribution
}

interface Following {
  readonly type: 'following'
  readonly mirror: FeedMirror
  readonly contribution: Contribution
}

const newIncarnation = (): string => randomBytes(6).toString('hex')

/**
 * Keeps the feed of a stream: gives it out from the source, or as a copy of the partner's for as long as that one is on
 * air, and goes on where the copy ends when the partner is lost. What is given out after that has another name, so that
 * nobody who has read more of the partner's bytes goes on in the wrong place.
 */
export class FeedKeeper {
  readonly #options: FeedKeeperOptions
  #state: OnAir | Following | null = null
  #asking = false
  #closed = false

  constructor(options: FeedKeeperOptions) {
    this.#options = options
  }

  /** Resolves when there is a feed here, from the source or from the partner. */
  async start(): Promise<E.Either<IngestError, void>> {
    const { partnerUrl, stream, format } = this.#options
    if (partnerUrl === null) return this.#goOnAir()
    const partner = await askPartner(partnerUrl, stream, format)
    if (E.isLeft(partner)) return partner
    return partner.right === 'onAir' ? this.#follow() : this.#goOnAir()
  }

  get liveTicks(): MediaTicks | null {
    return this.#feed()?.ring.liveTicks ?? null
  }

  isOnAir(): boolean {
    return this.#state?.type === 'onAir'
  }

  facts(): ContributionFacts {
    return (
      this.#state?.contribution.facts() ?? {
        onAir: 'nothing',
        pid: undefined,
        lostReason: null,
        sourceStarts: 0,
        timesLost: 0,
        holdsSource: false,
      }
    )
  }

  /** What readers get; undefined while there is nothing. */
  published(describe: PublishedFeed['describe']): PublishedFeed | undefined {
    const { partnerUrl } = this.#options
    const feed = this.#feed()
    return feed === null ? undefined : { ...feed, describe, ...(partnerUrl === null ? {} : { partnerUrl }) }
  }

  /** Lets the partner have the stream, which is on air there as well, and follows it. */
  async stepDown(): Promise<void> {
    const state = this.#state
    if (state?.type !== 'onAir' || this.#options.partnerUrl === null || this.#closed) return
    this.#state = null
    this.#options.cutReaders()
    await state.contribution.close()
    await this.#follow()
  }

  async close(): Promise<void> {
    this.#closed = true
    const state = this.#state
    await state?.contribution.close()
    if (state?.type === 'following') await state.mirror.close()
    this.#options.journal?.close()
  }

  #feed(): OnAir['feed'] | null {
    if (this.#state?.type === 'onAir') return this.#state.feed
    const copy = this.#state?.mirror.feed ?? null
    return copy === null ? null : { ring: copy.ring, incarnation: copy.incarnation }
  }

  async #goOnAir(): Promise<E.Either<IngestError, void>> {
    const { journal, keepMs } = this.#options
    const beginning = this.#options.beginning()
    if (E.isLeft(beginning)) return beginning
    const { continued, startTicksMin } = beginning.right
    const incarnation = continued?.feed.incarnation ?? newIncarnation()
    const ring = new FeedRing({
      ...(keepMs === undefined ? {} : { keepMs }),
      ...(journal === null ? {} : { beforeReadable: journal.keep }),
    })
    if (continued !== null) ring.restore(continued.feed.blocks, continued.feed.position)
    journal?.begin(this.#form(incarnation), continued?.feed ?? null)
    const contribution = new Contribution({
      ...this.#options.contribution,
      ...{ ring, startTicksMin, resume: continued?.place ?? null },
      shortGroups: this.#options.partnerUrl !== null,
    })
    this.#state = { type: 'onAir', feed: { ring, incarnation }, contribution }
    return contribution.ready
  }

  #follow(): Promise<E.Either<IngestError, void>> {
    const { stream, format, partnerUrl, takeOverMs, journal, keepMs, cutReaders, onChange } = this.#options
    return new Promise((resolve) => {
      const contribution = new Contribution({
        ...this.#options.contribution,
        ...{ ring: new FeedRing(), startTicksMin: 0, resume: null, shortGroups: true },
        heldAt: () => mirror.liveTicks,
      })
      const mirror: FeedMirror = new FeedMirror({
        ...{ stream, format, feedUrl: partnerUrl ?? '', silenceMsMax: takeOverMs },
        ...(keepMs === undefined ? {} : { keepMs }),
        beforeReadable: (block) => {
          journal?.keep(block)
          resolve(E.right(undefined))
        },
        onFeed: ({ incarnation, position }) => {
          journal?.begin(this.#form(incarnation), null, position)
          cutReaders()
          onChange({ type: 'following' })
        },
        onLost: (reason) => void this.#takeOver(reason).then((ready) => ready !== null && resolve(ready)),
      })
      this.#state = { type: 'following', mirror, contribution }
    })
  }

  /** Null: not now. */
  async #takeOver(reason: string): Promise<E.Either<IngestError, void> | null> {
    if (this.#asking || this.#closed) return null
    this.#asking = true
    const may = await this.#options.mayTakeOver().catch(() => false)
    this.#asking = false
    const state = this.#state
    if (!may || this.#closed || state?.type !== 'following' || !state.mirror.isLost()) return null
    const { mirror, contribution } = state
    const { feed, place } = mirror
    void mirror.close()
    this.#options.onChange({ type: 'tookOver', reason })
    if (feed === null || place === null) {
      this.#state = null
      await contribution.close()
      return this.#goOnAir()
    }
    const { ring } = feed
    const incarnation = newIncarnation()
    const before = { incarnation: feed.incarnation, end: ring.end }
    this.#state = { type: 'onAir', feed: { ring, incarnation, before }, contribution }
    this.#options.journal?.begin(this.#form(incarnation), null, ring.end)
    contribution.takeOver(place, ring, reason)
    this.#options.cutReaders()
    return E.right(undefined)
  }

  #form(incarnation: string): { readonly incarnation: string; readonly format: string; readonly sounds: number } {
    const { format } = this.#options
    return { incarnation, format: formatName(format), sounds: soundCount(format) }
  }
}
