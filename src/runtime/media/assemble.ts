import { createEdge, createNoticeBoard, type Edge, type NoticeBoard, type PublishFact } from '../../media/edge/index.js'
import { createEncoder, type MediaLogger } from '../../media/encoder/index.js'
import { createOrigin, watchForSuspension, type DrainControl } from '../../media/origin/index.js'
import {
  createDrain,
  createStation,
  defaultStationTimes,
  type EncoderFactory,
  type Station,
  type StationTimes,
} from '../../media/station/index.js'
import { connectPeer } from '../../media/stitching/index.js'
import type { Transport } from '../../messaging/index.js'
import { askRoute } from './askRoute.js'
import type { DeadLetters } from './deadLetters.js'
import { ListenFailed } from './errors.js'

/** The parts of a media server, wired to each other. */
export interface Assembly {
  readonly station: Station
  readonly edge: Edge
  readonly board: Pick<NoticeBoard, 'routes'>
  readonly drain: DrainControl
  /** Resolves to the base address. @throws ListenFailed */
  readonly listen: (host: string, port: number) => Promise<string>
  readonly close: () => Promise<void>
}

export interface AssemblyOptions {
  readonly id: string
  readonly bootId: string
  readonly publicUrl: string | null
  readonly transport: Transport
  readonly publishFact: PublishFact
  readonly deadLetter: DeadLetters
  readonly encoderFactory: EncoderFactory | undefined
  /** Give notices only to viewers with a ticket of their own. */
  readonly ticketsRequired: boolean
  readonly times: Partial<StationTimes>
  readonly logger: MediaLogger
}

const nowMs = (): number => Date.now()

export function assemble(options: AssemblyOptions): Assembly {
  const { id, bootId, transport, publishFact, deadLetter, logger } = options
  const board = createNoticeBoard({ transport, onInvalid: deadLetter })
  const edge = createEdge({ id, board, publishFact, deadLetter, ticketsRequired: options.ticketsRequired })
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
  const origin = createOrigin(
    {
      server: id,
      bootId,
      streamOf: station.streamOf,
      routeOf: (stream) => board.newest(stream)?.notice.route ?? null,
      sessionOf: async (stream) => ((await board.find(stream)) === null ? null : board.session(stream)),
      drain,
      checkSuspension: suspension.check,
    },
    edge.answer,
  )
  edge.attach(origin.server)

  return {
    station,
    edge,
    board,
    drain,
    async listen(host, port) {
      try {
        const bound = await origin.listen({ host, port })
        return options.publicUrl?.replace(/\/$/, '') ?? reachable(bound)
      } catch (cause) {
        throw new ListenFailed(host, port, cause)
      }
    },
    async close() {
      suspension.stop()
      stopRoutes()
      edge.close()
      await Promise.all([station.stop(), board.close(), origin.close()])
    },
  }
}

/** A wildcard address can be listened on, but not be called. */
const reachable = (bound: string): string => bound.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:')
