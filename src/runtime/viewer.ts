import { randomBytes } from 'node:crypto'
import type { Writable } from 'node:stream'
import {
  createSession,
  withFallback,
  type SessionError,
  type SessionEvents,
  type SessionOptions,
  type ViewerSession,
} from '../client/index.js'
import type { Coordinates, ViewerTotals } from '../events/catalogue/index.js'
import { boxesIn, only } from '../media/fmp4/boxes.js'
import { readPicture, writeInitSegments } from '../media/fmp4/index.js'
import { readMovie } from '../media/fmp4/init.js'
import { segmentPipe, type SegmentPipe } from './segmentPipe.js'
import { nodeClock, nodeCrypto, nodeTransport, openNodeChannel, type NodeTransport } from './viewerTransport.js'

/** One event of one of the sessions. `data` of `ready` and `segment` holds media bytes. */
export type ViewerEvent = {
  readonly [K in keyof SessionEvents]: {
    readonly type: K
    readonly session: string
    readonly at: number
    readonly data: SessionEvents[K]
  }
}[keyof SessionEvents]

export interface ViewerLogger {
  readonly debug: (fields: object, message: string) => void
  readonly info: (fields: object, message: string) => void
  readonly warn: (fields: object, message: string) => void
}

export interface ViewersOptions {
  readonly stream: string
  /** Base URLs of media servers or of the control plane, or of session documents. */
  readonly bootstrap: ReadonlyArray<string>
  /** How many viewers. Default 1. */
  readonly sessions?: number
  /** Tracks of the picture that sessions take in turn; default `video`. */
  readonly renditions?: ReadonlyArray<string>
  /** Playing position behind live. Default 1500. */
  readonly latencyMs?: number
  /** Stop after this long. */
  readonly durationMs?: number
  /** Where the first session writes what it plays, as one fragmented MP4; e.g. the stdin of a player. */
  readonly pipe?: Writable
  readonly agent?: string
  /** Where the viewers are; default: they do not say. */
  readonly location?: Coordinates
  readonly onEvent?: (event: ViewerEvent) => void
  readonly logger?: ViewerLogger
  /** Overrides of the session's patience; see SessionOptions. */
  readonly patience?: Pick<SessionOptions, 'startupMs' | 'stallGiveUpMs' | 'stallEndMs'>
}

export interface Viewers {
  /** One entry for each session, in order. */
  readonly totals: () => ReadonlyArray<ViewerTotals>
  /** Says good-bye on all sessions; resolves when their connections are closed. Idempotent. */
  readonly stop: (reason?: string) => Promise<void>
  /** Resolves when every session has ended by itself or by `stop`; with the errors of those that failed. */
  readonly done: Promise<ReadonlyArray<SessionError>>
}

const eventTypes: ReadonlyArray<keyof SessionEvents> = [
  'ready',
  'segment',
  'routed',
  'handover',
  'stall',
  'recovered',
  'trouble',
  'skipped',
  'ignored',
  'refused',
  'ended',
]

/** Sessions begin this far apart, so that hundreds of them do not knock at the same moment. */
const staggerMs = 20
/** Time for the good-byes to leave before connections are torn down. */
const farewellMs = 100

interface Seat {
  readonly session: ViewerSession
  readonly transport: NodeTransport
}

/** What is worth a line in a log: everything but the segments, without the bytes. */
const logged = (logger: ViewerLogger, { type, session, data }: ViewerEvent): void => {
  if (type === 'segment') return
  if (type === 'ready') return logger.info({ session, route: data.route }, 'viewer begins to play')
  const bad = type === 'stall' || type === 'trouble' || type === 'skipped' || (type === 'ended' && data.error !== null)
  if (bad) logger.warn({ session, ...data }, `viewer: ${type}`)
  else logger.info({ session, ...data }, `viewer: ${type}`)
}

/**
 * Starts viewers that verify what they play (hashes, order, decode times) and measure what they live through. They
 * follow handovers like the browser's, because they run the same core.
 */
export const startViewers = (options: ViewersOptions): Viewers => {
  const { stream, bootstrap, sessions = 1, durationMs, pipe, onEvent, logger, patience = {} } = options
  const { renditions = ['video'] } = options
  const crypto = nodeCrypto()
  const run = randomBytes(4).toString('hex')
  const failures: SessionError[] = []
  const timers: Array<() => void> = []
  let open = sessions
  let finish: (errors: ReadonlyArray<SessionError>) => void = () => undefined
  const done = new Promise<ReadonlyArray<SessionError>>((resolve) => (finish = resolve))
  let output: SegmentPipe | null = null

  const told = (event: ViewerEvent): void => {
    onEvent?.(event)
    if (logger) logged(logger, event)
  }
  const seat = (index: number): Seat => {
    const transport = nodeTransport()
    const session = createSession({
      stream,
      session: `viewer-${run}-${index}`,
      bootstrap,
      rendition: renditions[index % renditions.length] ?? 'video',
      latencyMs: options.latencyMs ?? 1_500,
      agent: options.agent ?? 'segue-watch',
      ...(options.location === undefined ? {} : { location: options.location }),
      transport,
      openChannel: withFallback(openNodeChannel),
      clock: nodeClock,
      crypto,
      random: Math.random,
      ...patience,
      onListenerError: (error) => logger?.warn({ error }, 'a listener of viewer events failed'),
    })
    for (const type of eventTypes) {
      session.on(type, (data) => told({ type, session: session.id, at: nodeClock.now(), data } as ViewerEvent))
    }
    session.on('ended', ({ error }) => {
      if (error !== null) failures.push(error)
      open -= 1
      timers.push(nodeClock.setTimer(() => void transport.close().catch(() => undefined), farewellMs))
      if (open === 0) finish(failures)
    })
    return { session, transport }
  }

  const seats = Array.from({ length: sessions }, (_, index) => seat(index))
  let stopping: Promise<void> | null = null
  const stopAll = async (reason: string): Promise<void> => {
    for (const cancel of timers.splice(0)) cancel()
    output?.detach()
    for (const { session } of seats) session.stop(reason)
    await new Promise<void>((resolve) => nodeClock.setTimer(resolve, farewellMs))
    await Promise.all(seats.map(({ transport }) => transport.close().catch(() => undefined)))
  }
  const stop = (reason = 'stopped'): Promise<void> => (stopping ??= stopAll(reason))

  const first = seats[0]
  if (pipe && first) {
    output = segmentPipe(pipe, (why) => {
      logger?.info({ why }, 'the consumer of the piped stream has gone')
      void stop(`pipe ${why}`)
    })
    const written = output
    first.session.on('ready', ({ init }) => written.init(combinedInit(init)))
    first.session.on('segment', written.segment)
  }
  for (const [index, { session }] of seats.entries()) {
    if (index === 0) session.start()
    else timers.push(nodeClock.setTimer(session.start, index * staggerMs))
  }
  if (durationMs !== undefined) timers.push(nodeClock.setTimer(() => void stop('time is up'), durationMs))
  if (sessions === 0) finish([])
  return { totals: () => seats.map(({ session }) => session.totals()), stop, done }
}

/** ftyp + moov of the picture that is taken and the sound. */
const combinedInit = ({ combined, video }: SessionEvents['ready']['init']): Uint8Array => {
  const { configuration } = readMovie(combined, only(boxesIn(combined, 0, combined.length), 'moov'))
  return writeInitSegments({ ...configuration, video: readPicture(video) }).combined
}
