import { randomUUID } from 'node:crypto'
import { derivedId } from '../../events/index.js'
import { isCovered, subjects, type RollCallPart, type Unsubscribe } from '../../messaging/index.js'
import { startIngest, type Ingest, type IngestState } from '../ingest.js'
import type { Logger } from '../process/logger.js'
import type { IngestProcessOptions } from './ingest.js'
import type { IngestBroker } from './ingestBroker.js'

/** Says of a feed what its stream's actor must know. */
class Announcer {
  readonly #stream: string
  readonly #connecting: Promise<IngestBroker>
  readonly #logger: Logger
  /** One for each time that the feed comes on air here. */
  #run = randomUUID()
  #opened: object | null = null
  #air: Promise<Unsubscribe | null> = Promise.resolve(null)
  #missed = false

  constructor(stream: string, connecting: Promise<IngestBroker>, logger: Logger) {
    this.#stream = stream
    this.#connecting = connecting
    this.#logger = logger
  }

  tell(type: string, data: object): void {
    const occurredAt = Date.now()
    const fact = { id: derivedId(occurredAt, this.#stream, this.#run, type), occurredAt, type, data }
    this.#connecting.then(
      (broker) => broker.publish(subjects.stream(this.#stream), fact),
      // That there is no broker is the failure of the start, and told there.
      () => undefined,
    )
  }

  onSource(lost: { readonly reason: string } | { readonly afterMs: number }): void {
    const run = this.#run
    if ('reason' in lost) {
      this.#logger.warn(`${this.#stream}: source lost: ${lost.reason}`)
      return this.tell('SourceLost', { run, reason: lost.reason })
    }
    this.#logger.info(`${this.#stream}: source back after ${Math.round(lost.afterMs)} ms`)
    this.tell('SourceRestored', { run, lostMs: lost.afterMs })
  }

  /** The feed is given out here, from now on. */
  onAir(opened: { readonly format: object; readonly feedUrl: string }): void {
    if (this.#opened !== null) this.#run = randomUUID()
    this.#opened = { stream: this.#stream, run: this.#run, ...opened }
    this.#missed = false
    this.tell('StreamOpened', this.#opened)
    this.#air = this.#connecting.then((broker) => broker.holdAir(this.#stream)).catch(() => null)
  }

  async offAir(): Promise<void> {
    const air = this.#air
    this.#air = Promise.resolve(null)
    await (await air)?.close()
  }

  /** The log knows another run, or none: it has not heard of this one, or it has, and of a later one. */
  onRoll(known: RollCallPart): 'known' | 'missing' | 'another' {
    if (this.#opened === null || !isCovered(this.#stream, known.covers.streams)) return 'known'
    const entry = known.streams.find(({ id }) => id === this.#stream)
    const isMissing = entry?.run !== this.#run
    // The first call without it may have come before its opening was heard.
    const isSure = isMissing && this.#missed
    this.#missed = isMissing
    return !isSure ? 'known' : entry === undefined || entry.run === null ? 'missing' : 'another'
  }

  openAgain(): void {
    if (this.#opened !== null) this.tell('StreamOpened', this.#opened)
  }
}

/** Opens a feed that is announced whenever it comes on air here, and its source's loss and return. */
export async function openAnnounced(
  stream: string,
  index: number,
  connecting: Promise<IngestBroker>,
  { source, format, host, port, publicUrl, partnerUrl, dataDir, logger }: IngestProcessOptions,
): Promise<Ingest> {
  const announcer = new Announcer(stream, connecting, logger)
  let feed: Ingest | null = null
  const announce = (url: string): void => announcer.onAir({ format, feedUrl: index === 0 ? (publicUrl ?? url) : url })
  const onState = (state: IngestState): void => {
    if (state.type === 'notice') logger.warn(`${stream}: ${state.message}`)
    if (state.type === 'following') {
      logger.info(`${stream}: on air at the partner's, ${partnerUrl ?? ''}`)
      void announcer.offAir()
    }
    if (state.type === 'tookOver') {
      logger.warn(`${stream}: the partner is lost (${state.reason}): on air here`)
      if (feed !== null) announce(feed.url)
    }
  }
  feed = await startIngest({
    ...{ stream, source, format, host, dataDir, onState },
    ...(partnerUrl === undefined ? {} : { partnerUrl }),
    mayTakeOver: async () => (await connecting).isOffAir(stream),
    port: port === 0 ? 0 : port + index,
    onSourceLost: (reason) => announcer.onSource({ reason }),
    onSourceRestored: (afterMs) => announcer.onSource({ afterMs }),
  })
  const opened = feed
  if (opened.isOnAir()) announce(opened.url)
  const roll = connecting.then(
    ({ onRoll }) =>
      onRoll((known) => {
        if (!opened.isOnAir()) return
        const answer = announcer.onRoll(known)
        if (answer === 'another' && partnerUrl !== undefined) {
          logger.warn(`${stream}: the log has the partner's feed: this one gives way`)
          void announcer.offAir().then(opened.stepDown)
        } else if (answer !== 'known') announcer.openAgain()
      }),
    () => null,
  )
  return {
    ...opened,
    close: async () => {
      await (await roll)?.close()
      await announcer.offAir()
      await opened.close()
    },
  }
}
