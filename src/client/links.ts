import type { ViewerTotals } from '../events/catalogue/client.js'
import type { Coordinates } from '../events/catalogue/shapes.js'
import type { EdgeMessage, TicketFlaw, ViewerMessage } from '../messaging/codecs.js'
import { Admission, type TicketSource } from './admission.js'
import { fetchManifest, type Asking } from './bootstrap.js'
import { NoticeChannels } from './channels.js'
import type { KnownManifest } from './documents.js'
import type { TicketRefused } from './errors.js'
import type { Emitter, LinkEvents } from './events.js'
import { Fleet } from './fleet.js'
import { Guide, type NoticeFlaw } from './guide.js'
import { HashMemory } from './hashes.js'
import { HealthPoller } from './poller.js'
import type { Clock, Crypto, OpenNoticeChannel, Transport } from './ports.js'
import { serversFor, serversKnown, serversNow, type Opening, type RouteBook, type Server } from './route.js'
import { countsSince, isCarriedOut, switchingTo, type Counts, type Switching, type TakenFrom } from './switches.js'
import { Trust, type PublicKeys } from './trust.js'

export interface LinksOptions {
  readonly stream: string
  readonly session: string
  readonly bootstrap: ReadonlyArray<string>
  readonly agent: string
  readonly location: Coordinates | null
  readonly keys: PublicKeys | undefined
  readonly ticket: TicketSource | undefined
  readonly transport: Transport
  readonly openChannel: OpenNoticeChannel
  readonly clock: Clock
  readonly crypto: Crypto
  readonly random: () => number
  readonly events: Pick<Emitter<LinkEvents>, 'emit'>
  /** Aborted when the session ends. */
  readonly signal: AbortSignal
  readonly totals: () => ViewerTotals
  readonly newestNumber: () => number
  /** Another route holds from `cutover` on. */
  readonly onRerouted: (cutover: number) => void
  /** Something was learnt about a server. */
  readonly onNews: () => void
  readonly onFault: (cause: unknown) => void
}

const documentDeadlineMs = 1_000
const flawsMax = 32

/** What ties a session to its servers, however its media is fetched: route, notice channels, health, reports. */
export class Links {
  readonly fleet: Fleet
  readonly hashes = new HashMemory()
  /** Verifies what comes, and fetches documents. */
  readonly asking: Asking
  readonly #options: LinksOptions
  readonly #admission: Admission
  #guide: Guide | null = null
  #channels: NoticeChannels | null = null
  #poller: HealthPoller | null = null
  #switching: Switching | null = null
  readonly #flaws = new Set<string>()

  constructor(options: LinksOptions) {
    const trust = new Trust(options.crypto, options.keys)
    this.#options = options
    this.asking = { ...options, deadlineMs: documentDeadlineMs, trust }
    this.#admission = new Admission({ ...options, trust })
    this.fleet = new Fleet({
      ...options,
      onTrouble: (server, reason, number) => {
        const trouble = { server, reason, number }
        this.#channels?.report({ type: 'trouble', ...trouble })
        options.events.emit('trouble', trouble)
        this.#poller?.hurry()
      },
    })
  }

  /** Is a server that may be asked in an outage, or suspected? */
  get isTroubled(): boolean {
    const guide = this.#guide
    return guide !== null && this.fleet.isTroubled(this.#watched(guide.book).map((server) => server.id))
  }

  /** Who may be asked now, best first. */
  get servers(): ReadonlyArray<Server> {
    return this.#guide === null ? [] : this.#watched(this.#guide.book)
  }

  /** Has the page's ticket looked at. Null: all is well. @param withinMs how long the page may take */
  admit({ issuedAt }: Opening, withinMs: number): Promise<TicketRefused | null> {
    return this.#admission.renew(issuedAt, withinMs)
  }

  /** Opens the route book; from now on `guide` is there. */
  open(opening: Opening): Guide {
    const guide = new Guide(
      {
        ...this.#options,
        asking: this.asking,
        onTurn: (before, source) => this.#turnTo(guide.book, before, source),
        onIgnored: (server, reason) => this.#ignored(server, reason),
        onHeard: (server, { epoch, cutover, sequence }) =>
          this.#channels?.acknowledge(server, epoch, cutover, sequence),
      },
      opening,
    )
    this.#guide = guide
    return guide
  }

  /** Opens notice channels and begins to poll. */
  connect(guide: Guide): void {
    const { stream, session, agent, location, onNews } = this.#options
    this.#channels = new NoticeChannels({
      ...this.#options,
      hello: () => ({
        ...{ type: 'hello', session, stream, agent, location },
        epochKnown: guide.book.route.epoch,
        ticket: this.#admission.ticket(guide.ticket),
      }),
      onMessage: (server, message) => this.#hear(guide, server, message),
      onMalformed: (server) => this.#ignored(server, 'malformed'),
      isDoubtful: (server) => this.fleet.of(server).outage !== null,
    })
    this.#channels.keep(serversNow(guide.book))
    this.#poller = new HealthPoller({
      ...this.#options,
      servers: () => this.#watched(guide.book),
      isTroubled: () => this.isTroubled,
      onResult: (server, result, startedAtMs) => {
        this.fleet.polled(server, result, startedAtMs)
        // Without any channel a notice would be missed.
        if (this.#channels?.openCount === 0 || guide.isOld) guide.refresh()
        onNews()
      },
    })
    this.#poller.start()
  }

  report(message: ViewerMessage): void {
    this.#channels?.report(message)
  }

  probe(serverId: string): void {
    const server = this.#guide && serversKnown(this.#guide.book).find((s) => s.id === serverId)
    if (server) this.#poller?.probe(server)
  }

  noteHashes(manifest: KnownManifest): void {
    for (const { number, video, audio } of manifest.segments) {
      this.hashes.note(number, 'video', video.sha256)
      this.hashes.note(number, 'audio', audio.sha256)
    }
  }

  /** A number is to be shown: is it the first one of a new epoch, from its primary? Then the handover is reported. */
  taken(number: number, server: TakenFrom): void {
    this.#guide?.settleDown()
    const switching = this.#switching
    if (switching === null || !isCarriedOut(switching, number, server)) return
    this.#switching = null
    const soFar = countsSince(switching.before, this.#options.totals())
    this.#reportSwitch(switching, number, soFar).catch(this.#options.onFault)
  }

  /** The network is another one, or the machine has slept: nothing that was open is trusted. */
  wake(): void {
    this.#channels?.reopen()
    this.#poller?.now()
    this.#guide?.refresh(true)
  }

  /** Says good-bye and lets go of everything. */
  close(reason: string, totals: ViewerTotals): void {
    this.#poller?.stop()
    this.#channels?.report({ type: 'bye', reason, totals })
    this.#channels?.close()
  }

  #watched(book: RouteBook): ReadonlyArray<Server> {
    return serversFor(book, book.route.cutover)
  }

  /** Told to the operator once for each server and kind, however many come. */
  #ignored(server: string, reason: NoticeFlaw): void {
    this.#options.events.emit('ignored', { server, reason })
    const flaw = `${reason} from ${server}`
    // A route that was overtaken on its way is nothing to tell of.
    if (reason === 'older' || this.#flaws.has(flaw) || this.#flaws.size >= flawsMax) return
    this.#flaws.add(flaw)
    this.#channels?.report({ type: 'ignored', reason: flaw })
  }

  #hear(guide: Guide, server: string, message: EdgeMessage): void {
    const { onFault } = this.#options
    if (message.type === 'notice') guide.hear(server, message.notice).catch(onFault)
    if (message.type === 'refused' && message.ticket !== null) this.#refused(guide, server, message.ticket)
  }

  /** The line to the edge breaks now, and shows at its next attempt what has been got by then. */
  #refused(guide: Guide, server: string, flaw: TicketFlaw): void {
    const { events, clock, onFault } = this.#options
    events.emit('refused', { server, flaw })
    guide.refresh()
    if (this.#admission.isDue(clock.now())) this.#admission.renew(guide.issuerMs).catch(onFault)
  }

  #turnTo(book: RouteBook, before: RouteBook, source: 'notice' | 'session'): void {
    this.#switching = switchingTo(before.route, book.route, this.#switching, this.#options.totals())
    // The previous primary's edge too is to learn that the notice has arrived.
    this.#channels?.keep(serversNow(book))
    this.#options.events.emit('routed', { route: book.route, source })
    this.#options.onRerouted(book.route.cutover)
    if (book.route.epoch !== before.route.epoch) void this.#compare(book.route.primary)
  }

  /** Sets a server's hashes against those of what was or will be played. */
  async #compare(server: Server): Promise<void> {
    const manifest = await fetchManifest(this.asking, server.url)
    if (manifest !== null && !this.#options.signal.aborted) this.noteHashes(manifest)
  }

  async #reportSwitch(switching: Switching, firstNumber: number, counts: Counts): Promise<void> {
    await this.#compare(switching.to)
    if (this.#options.signal.aborted) return
    const { epoch, cutover, from, to } = switching
    const { hashMismatches } = countsSince(switching.before, this.#options.totals())
    const report = { epoch, cutover, firstNumber, ...counts, hashMismatches }
    this.#channels?.report({ type: 'switched', server: to.id, ...report })
    this.#options.events.emit('handover', { from, to: to.id, ...report })
  }
}
