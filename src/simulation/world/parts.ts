import type { Deciders } from '../../actors/index.js'
import { defaultServerPolicy, defaultStreamPolicy, type StreamPolicy } from '../../events/index.js'
import type { StationTimes } from '../../media/station/context.js'
import type { Told } from '../checkers/told.js'
import { SimulatedFeed } from '../media/feed.js'
import { SimulatedMediaServer } from '../media/mediaServer.js'
import { noDefects, type Plant } from '../plants.js'
import { SimulatedControlPlane } from './controlPlane.js'
import { SimulatedProcess } from './process.js'
import { SimulatedSnapshots } from './snapshots.js'
import type { World } from './world.js'

/** The checkers: they are made last. */
type Hearers = () => Told

export const streamPolicy: StreamPolicy = {
  ...defaultStreamPolicy,
  bufferSegments: 8,
  deadlines: { activateMs: 3_000, cutoverMs: 4_000, drainMs: 2_000, synchronizeMs: 3_000 },
}
const serverPolicy = { ...defaultServerPolicy, samplesToClear: 2 }
const stationTimes: StationTimes = {
  quietMs: 400,
  taskMsMax: 10_000,
  synchronizeMsMax: 2_500,
  probeMs: 200,
  probeEveryMs: 250,
  peerBackMs: 3_000,
  tickMs: 25,
}

/** So far apart that the newest three samples are all that an assessment looks at: alarms come and go by few of them. */
const handIntervalMs = 2_500
/** So far apart that the model has seen a whole horizon after five samples. */
const modelIntervalMs = 250_000

export function createServer(world: World, told: Hearers, id: string, plant: Plant | null): SimulatedMediaServer {
  const { time, network, broker, scenario } = world
  const random = world.random.fork(id)
  const server = new SimulatedMediaServer({
    ...{ id, time, network, broker, times: stationTimes, clientFacts: scenario.clientFacts, capacityStreams: 8 },
    process: new SimulatedProcess(id, time, false),
    feedOf: (stream) => world.ingests.get(stream)?.feed ?? new SimulatedFeed(time),
    peerOf: (peer) => world.server(peer),
    drawTemper: () => {
      const factor = world.slow.has(id) ? 6 : 1
      const broken = world.brokenNext.get(id)
      if (broken !== undefined && (broken.left -= 1) < 1) world.brokenNext.delete(id)
      return {
        startupMs: random.between(250, 900) * factor,
        latencyMs: random.between(90, 160),
        variant: 0,
        broken: broken?.how ?? 'no',
      }
    },
    copyMs: () => random.between(5, 40) * (world.slow.has(id) ? 15 : 1),
    observer: {
      started: (who) => told().started(who),
      crashed: (who) => told().crashed(who),
      served: (served) => {
        world.note(() => `${served.server} serves ${served.stream}/${served.number} as ${served.epoch ?? 'no'} epoch`)
        told().served(served)
      },
      assigned: (assignment) => {
        world.note(() => `${assignment.server} is ${assignment.role} of ${assignment.stream} (${assignment.sequence})`)
        told().assigned(assignment)
      },
      reported: (bootId, id) => told().reported(bootId, id),
      sampleTaken: (who, sample, seq) => told().sampleTaken(who, sample, seq),
      sampleKept: (who, sample) => told().sampleKept(who, sample),
    },
    sampleIntervalMs: scenario.model ? modelIntervalMs : handIntervalMs,
    defects: { ...noDefects, ...plant?.defects },
    ...(plant?.spoilServerTransport === undefined ? {} : { spoilTransport: plant.spoilServerTransport }),
  })
  server.skewMs = Math.round(random.between(-1, 1) * scenario.skews.server)
  return server
}

interface ControlParts {
  readonly deciders: Deciders
  readonly plant: Plant | null
  readonly onReadiness: () => void
  readonly onSetBack: (ms: number) => void
  readonly onStandstill: (message: string) => void
}

export function createControl(
  world: World,
  told: Hearers,
  name: string,
  { deciders, plant, onReadiness, onSetBack, onStandstill }: ControlParts,
): SimulatedControlPlane {
  const { time, network, broker, log, scenario } = world
  const control = new SimulatedControlPlane({
    ...{ time, network, broker, log, storeWeather: world.store, deciders, serverPolicy },
    streamPolicy: { ...streamPolicy, standby: scenario.standby },
    process: new SimulatedProcess(name, time),
    random: world.random.fork(name),
    find: (server) => world.server(server),
    isCalm: () => world.isCalm(),
    onReadiness,
    onSetBack,
    onStandstill,
    shipped: world.shipped,
    snapshots: scenario.snapshots ? new SimulatedSnapshots(world.random.fork(`${name} disk`)) : null,
    onConfirmed: (streamId, events, { repeated }) => told().confirmed(streamId, events, repeated),
    onWarning: (message) => world.note(() => message),
    ...(plant?.spoilStore === undefined ? {} : { spoilStore: plant.spoilStore }),
    ...(plant?.spoilWatch === undefined ? {} : { spoilWatch: plant.spoilWatch }),
    ...(plant?.spoilSnapshots === undefined ? {} : { spoilSnapshots: plant.spoilSnapshots }),
    ...(plant?.spoilControlTransport === undefined ? {} : { spoilTransport: plant.spoilControlTransport }),
  })
  control.skewMs = Math.round(world.random.fork(`${name} clock`).between(-1, 1) * scenario.skews.control)
  return control
}
