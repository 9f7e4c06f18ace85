import { randomUUID } from 'node:crypto'
import * as E from 'fp-ts/lib/Either.js'
import { request } from 'undici'
import { derivedId, describeErrors, entityId, type ServerRef } from '../events/index.js'
import {
  Command,
  SessionDocument,
  subjects,
  type CommandReply,
  type FactMessage,
  type Fault,
  type Heartbeat,
  type Route,
  type Transport,
} from '../messaging/index.js'
import { connectNats } from '../messaging/nats/index.js'
import { createEdge, createNoticeBoard, factMessage, type NoticeBoard } from '../media/edge/index.js'
import { createEncoder, type MediaLogger } from '../media/encoder/index.js'
import { createOrigin, watchForSuspension, type DrainControl, type DrainProgress } from '../media/origin/index.js'
import {
  createDrain,
  createStation,
  defaultStationTimes,
  type EncoderFactory,
  type Station,
  type StationTimes,
} from '../media/station/index.js'
import { connectPeer } from '../media/stitching/index.js'
import { createFactQueue } from './factQueue.js'
import { InvalidMediaServerOption, ListenFailed } from './mediaServerErrors.js'

export { InvalidMediaServerOption, ListenFailed } from './mediaServerErrors.js'

/** What a media server knows about itself when a health sample is taken. */
export interface MediaServerMetrics {
  readonly encodersRunning: number
  readonly speed: number | null
  readonly latenessMs: number | null
  readonly streams: number
  readonly viewers: number
}

/** What a health sampler gets to work with. */
export interface HealthContext {
  readonly server: string
  readonly bootId: string
  readonly dataDir: string
  readonly memoryLimitBytes: number | null
  readonly metrics: () => MediaServerMetrics
  readonly publishFact: (subject: string, fact: FactMessage) => void
}

export interface MediaServerOptions {
  /** Name in the fleet: 1-64 letters, digits, "-" or "_". */
  readonly id: string
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  /** Where others reach this server, when that is not http://host:port. */
  readonly publicUrl?: string
  /** Closed by whoever made it, after the server has stopped. Give this or `natsUrl`. */
  readonly transport?: Transport
  /** Connects to NATS by itself, see connectNats. */
  readonly natsUrl?: string
  /** Publishes durable facts; default: straight to the transport, repeated until it is there. */
  readonly publishFact?: (subject: string, fact: FactMessage) => void
  readonly dataDir: string
  /** Limit that something enforces on this process; told to the control plane. */
  readonly memoryLimitMb?: number
  /** Streams that it can carry as primary or hot standby at once. */
  readonly capacityStreams: number
  readonly heartbeatMs?: number
  readonly encoderFactory?: EncoderFactory
  readonly health?: (context: HealthContext) => { readonly stop: () => void }
  /** Called for injected faults; without it they are refused. */
  readonly onFault?: (fault: Fault) => void
  readonly logger?: MediaLogger
  readonly times?: Partial<StationTimes>
}

export interface MediaServer {
  readonly id: string
  readonly bootId: string
  readonly url: string
  readonly metrics: () => MediaServerMetrics
  readonly drain: DrainControl
  /** Starts a drain (unless one is under way) and resolves when it is done or its deadline has passed. */
  readonly drained: (by: string, deadlineMs?: number) => Promise<DrainProgress>
  readonly stop: (reason?: string) => Promise<void>
  /** `drained`, then `stop`: what a process does on its first SIGTERM. */
  readonly shutDown: (by: string, deadlineMs?: number) => Promise<void>
}

const silent: MediaLogger = { info: () => undefined, warn: () => undefined }
const drainPollMs = 50
const askRouteMs = 400
/** What is still to be said at the end may take this long. */
const flushMsMax = 500

/**
 * Starts a media server: HTTP origin, viewers' edge, station and heartbeats.
 * @throws InvalidMediaServerOption, ListenFailed, and TransportUnavailable for a broker that cannot be reached
 */
export async function startMediaServer(options: MediaServerOptions): Promise<MediaServer> {
  checkOptions(options)
  if (options.transport !== undefined) return serve(options, options.transport)
  const transport = await connectNats({ url: options.natsUrl ?? '', name: `media ${options.id}` })
  const server = await serve(options, transport).catch(async (error: unknown) => {
    await transport.close()
    throw error
  })
  const stop = async (reason?: string): Promise<void> => {
    await server.stop(reason)
    await transport.close()
  }
  return {
    ...server,
    stop,
    async shutDown(by, deadlineMs) {
      await server.drained(by, deadlineMs)
      await stop(by)
    },
  }
}

async function serve(options: MediaServerOptions, transport: Transport): Promise<MediaServer> {
  const { id, host, port, heartbeatMs = 100, logger = silent } = options
  const bootId = randomUUID()
  const startedAt = Date.now()
  const nowMs = (): number => Date.now()
  const facts = createFactQueue(transport, logger)
  const publishFact = options.publishFact ?? facts.publish
  const memoryLimitBytes = options.memoryLimitMb === undefined ? null : options.memoryLimitMb * 1024 * 1024
  const deadLetter = deadLetters(transport, nowMs)
  const board = createNoticeBoard({ transport, onInvalid: deadLetter })
  const edge = createEdge({ id, board, publishFact, deadLetter })
  const suspension = watchForSuspension({
    onSuspended(gapMs) {
      logger.warn({ server: id, gapMs }, 'this process was suspended')
      station.onSuspended()
    },
  })
  const station: Station = createStation({
    server: id,
    bootId,
    createEncoder: options.encoderFactory ?? createEncoder,
    connectPeer: (stream, ref) => connectPeer({ stream, ref, asker: id }),
    publishFact,
    askRoute: (stream, standby) => askRoute(board, stream, standby),
    checkSuspension: suspension.check,
    nowMs,
    times: { ...defaultStationTimes, ...options.times },
    logger,
  })
  const stopRoutes = board.onNewer(({ notice }) => station.onRoute(notice.route))
  const drain = createDrain({ server: id, bootId, station, viewers: edge.viewers, publishFact, nowMs })
  const self: { server: ServerRef } = { server: { id, url: '' } }
  const origin = createOrigin({
    get server() {
      return self.server
    },
    bootId,
    streamOf: station.streamOf,
    streams: station.streams,
    routeOf: (stream) => board.newest(stream)?.notice.route ?? null,
    sessionOf: async (stream) => ((await board.find(stream)) === null ? null : board.session(stream)),
    drain,
    checkSuspension: suspension.check,
  })
  edge.attach(origin.server)

  const metrics = (): MediaServerMetrics => ({ ...station.metrics(), viewers: edge.viewers() })
  const release = async (): Promise<void> => {
    suspension.stop()
    stopRoutes()
    edge.close()
    await Promise.all([station.stop(), board.close(), origin.close()])
  }
  const bound = await origin.listen({ host, port }).catch(async (cause: unknown) => {
    await release()
    throw new ListenFailed(host, port, cause)
  })
  const url = options.publicUrl?.replace(/\/$/, '') ?? reachable(bound)
  self.server = { id, url }

  const joined = factMessage(
    startedAt,
    {
      type: 'ServerJoined',
      data: { server: id, bootId, url, memoryLimitBytes, capacityStreams: options.capacityStreams, startedAt },
    },
    id,
    bootId,
  )
  const answering = transport.respond(subjects.command(id), async (data) => obey(data, options, station, deadLetter))
  const beating = beat(transport, { server: id, bootId, url }, heartbeatMs)
  publishFact(subjects.health(id), joined)
  let stopped = false
  transport.onState((state) => {
    // The control plane may be another one than before, with nothing in its memory.
    if (state === 'connected' && !stopped) publishFact(subjects.health(id), joined)
  })
  const health = options.health?.({
    server: id,
    bootId,
    dataDir: options.dataDir,
    memoryLimitBytes,
    metrics,
    publishFact,
  })
  logger.info({ server: id, bootId, url }, 'media server started')

  const drained: MediaServer['drained'] = async (by, deadlineMs) => {
    let progress = drain.progress().draining ? drain.progress() : drain.start(by, deadlineMs ?? null)
    while (progress.draining && !progress.done && nowMs() < (progress.deadlineAt ?? 0)) {
      await new Promise((resolve) => setTimeout(resolve, drainPollMs))
      progress = drain.progress()
    }
    return progress
  }
  const stop: MediaServer['stop'] = async (reason = 'stopped') => {
    if (stopped) return
    stopped = true
    health?.stop()
    beating.stop()
    publishFact(subjects.health(id), factMessage(nowMs(), { type: 'ServerLeft', data: { bootId, reason } }, id, bootId))
    await Promise.all([answering.close(), release()])
    await facts.flush(flushMsMax)
    facts.close()
  }
  return {
    id,
    bootId,
    url,
    metrics,
    drain,
    drained,
    stop,
    async shutDown(by, deadlineMs) {
      await drained(by, deadlineMs)
      await stop(by)
    },
  }
}

function checkOptions({ id, port, capacityStreams, heartbeatMs = 100, publicUrl, ...rest }: MediaServerOptions): void {
  if ((rest.transport === undefined) === (rest.natsUrl === undefined)) {
    throw new InvalidMediaServerOption('give either a transport or the address of NATS')
  }
  if (!entityId.is(id)) {
    throw new InvalidMediaServerOption(
      `server id "${id}" is not usable: give 1-64 letters, digits, "-" or "_", beginning with a letter or digit`,
    )
  }
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new InvalidMediaServerOption(`port ${port} is not usable: give a whole number from 0 to 65535`)
  }
  if (!Number.isInteger(capacityStreams) || capacityStreams < 1) {
    throw new InvalidMediaServerOption(`a capacity of ${capacityStreams} streams is not usable: give 1 or more`)
  }
  if (!(heartbeatMs >= 20 && heartbeatMs <= 10_000)) {
    throw new InvalidMediaServerOption(`a heartbeat every ${heartbeatMs} ms is not usable: give 20 to 10000`)
  }
  if (publicUrl !== undefined && !/^https?:\/\/[^/]/.test(publicUrl)) {
    throw new InvalidMediaServerOption(`the public address "${publicUrl}" is not usable: give http://host:port`)
  }
}

/** A wildcard address can be listened on, but not be called. */
const reachable = (bound: string): string => bound.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:')

async function obey(
  data: unknown,
  { onFault }: MediaServerOptions,
  station: Station,
  deadLetter: (subject: string, reason: string, data: unknown) => void,
): Promise<CommandReply> {
  const command = Command.decode(data)
  if (E.isLeft(command)) {
    const reason = describeErrors(command.left)
    deadLetter('command', reason, data)
    return { type: 'refused', reason }
  }
  if (command.right.type === 'assign') return station.apply(command.right.assignment)
  if (onFault === undefined) return { type: 'refused', reason: 'fault injection is not allowed at this server' }
  onFault(command.right.fault)
  return { type: 'done' }
}

function beat(
  transport: Transport,
  self: Pick<Heartbeat, 'server' | 'bootId' | 'url'>,
  everyMs: number,
): { readonly stop: () => void } {
  let seq = 0
  const subject = subjects.heartbeat(self.server)
  const timer = setInterval(() => {
    const heartbeat: Heartbeat = { ...self, seq, sentAt: Date.now() }
    seq += 1
    transport.broadcast(subject, heartbeat)
  }, everyMs)
  return { stop: () => clearInterval(timer) }
}

/** The control plane and the standby's edge are asked at once; whoever knows first is believed. */
async function askRoute(board: NoticeBoard, stream: string, standby: ServerRef | null): Promise<Route | null> {
  const answers = [
    board.ask(stream, askRouteMs).then((posted) => posted?.notice.route ?? null),
    ...(standby === null ? [] : [askStandby(stream, standby)]),
  ].map((answer) => answer.then((route) => route ?? Promise.reject(new Error('no answer'))))
  return Promise.any(answers).catch(() => null)
}

async function askStandby(stream: string, standby: ServerRef): Promise<Route | null> {
  try {
    const signal = AbortSignal.timeout(askRouteMs)
    const answer = await request(`${standby.url}/streams/${stream}/session`, { signal })
    const session = SessionDocument.decode(await answer.body.json())
    return E.isRight(session) ? session.right.route : null
  } catch {
    return null
  }
}

/** Dead letters are for people to read: a flood of them helps nobody. */
function deadLetters(
  transport: Transport,
  nowMs: () => number,
): (subject: string, reason: string, data: unknown) => void {
  const perSMax = 10
  let second = 0
  let sent = 0
  return (subject, reason, data) => {
    const at = nowMs()
    if (Math.floor(at / 1_000) !== second) [second, sent] = [Math.floor(at / 1_000), 0]
    sent += 1
    if (sent > perSMax) return
    const letter = { subject, reason, data: data ?? null, at }
    transport.publish(subjects.deadletter, letter, { id: derivedId(at, subject, reason, sent) }).catch(() => undefined)
  }
}
