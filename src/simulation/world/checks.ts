import type { Deciders } from '../../actors/index.js'
import { checkAuthority } from '../checkers/authority.js'
import type { Checker, CheckerContext } from '../checkers/checker.js'
import { checkDeparture } from '../checkers/departure.js'
import { checkDetection } from '../checkers/detection.js'
import { checkEndings, type EndingsContext } from '../checkers/endings.js'
import { checkIndependence } from '../checkers/independence.js'
import { checkLog } from '../checkers/log.js'
import { checkNeedless } from '../checkers/needless.js'
import { checkPlayback, type PlaybackContext } from '../checkers/playback.js'
import { checkReplay } from '../checkers/replay.js'
import { suspensionMsMin } from '../media/mediaServer.js'
import { sparesViewers } from '../scenario.js'
import { streamPolicy } from './parts.js'
import { slowMs } from './storeClient.js'
import type { World } from './world.js'

const graceMs = 3_500
/** Messages are late, control planes restart: as far as nobody can decide meanwhile, it does not count at all. */
const detectionGraceMs = 2_000

/** What a stream hears waits behind what it is just recording, twice at most. */
const needlessMs = 1_000 + 2 * slowMs

type CheckParts = Pick<CheckerContext, 'violated'> &
  Pick<EndingsContext, 'idleMs'> &
  Pick<PlaybackContext, 'excuse'> & {
    readonly deciders: Deciders
    /** How long, all in all, nobody could tell that a server is gone. */
    readonly deafMs: () => number
  }

/** All checkers of a world: what each of them may know of it. */
export function createCheckers(world: World, parts: CheckParts): ReadonlyArray<Checker> {
  const { log, scenario } = world
  const { deciders, violated, idleMs, deafMs, excuse } = parts
  const context = {
    nowMs: world.time.now,
    violated,
  }
  const { control, server } = scenario.skews
  const orderMayBreak = scenario.episodes.some(({ faults }) => faults.some(({ kind }) => kind === 'several-controls'))
  return [
    checkAuthority({
      ...context,
      sleepMsMin: suspensionMsMin,
      liveOf: (id, stream) => world.server(id)?.stationOf(stream)?.buffer.live ?? null,
      reportsAreLate: scenario.weather.delayMs > 50 || scenario.weather.loss > 0.01 || scenario.weather.reordering > 0,
    }),
    checkPlayback({ ...context, excuse }),
    checkLog({ ...context, log }),
    checkEndings({
      ...context,
      policy: streamPolicy,
      idleMs,
      graceMs: graceMs + 2 * Math.abs(control) + Math.abs(server),
    }),
    checkDetection({ ...context, idleMs: deafMs, graceMs: detectionGraceMs }),
    checkDeparture({ ...context, idleMs, graceMs: graceMs + 2 * Math.abs(control) + Math.abs(server) }),
    checkNeedless({ ...context, idleMs, limitMs: needlessMs }),
    checkIndependence({ ...context, log, viewersSpared: sparesViewers(scenario), orderMayBreak }),
    ...(scenario.thorough ? [checkReplay({ ...context, log, deciders })] : []),
  ]
}
