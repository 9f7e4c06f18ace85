// The matrix: what is hit, how, and when.
import { fillDisk, holdStoreThread, keepDown, kill, lockStore, suspend, wipeBroker } from './inflict.mjs'
import { pause } from './waiting.mjs'

/** Each step by the event with which it begins. Step 1 is the reason to leave, before the stream has heard of it. */
export const steps = [
  { number: 1, name: 'prediction', event: 'DrainRequested' },
  { number: 2, name: 'standby activation', event: 'StandbyActivationOrdered' },
  { number: 3, name: 'pre-stitching', event: 'StandbyActivated' },
  { number: 4, name: 'client notification', event: 'CutoverChosen' },
  { number: 5, name: 'switch', event: 'ClientsNotified' },
  { number: 6, name: 'primary shutdown', event: 'StreamSwitched' },
  { number: 7, name: 'buffer synchronisation', event: 'PrimaryDrained' },
]

/** How long a hung process hangs, and how long a store that is blocked is blocked. */
export const hangMs = 4_000

/**
 * No standby policy covers the feed itself: without it there is nothing new to play. A viewer 3 s behind live outlives its
 * loss for about as long; the rest is on account of the hang, or of the time that another ingest takes to start.
 */
const allowedWithoutFeedMs = 2_000

const parts = ['primary', 'standby', 'control', 'ingest', 'nats', 'store']
const fates = ['kill', 'hang']

/** Who has the part: the primary and the standby as they were when the handover began. */
const roleOf = (part, cast) => cast[part] ?? part

const attemptsMax = 3

/**
 * Begins a handover and strikes the moment its step begins. Resolves, when the fault is over, to when it struck. A
 * handover may end before that, where a standby is not ready in time; then another one is begun.
 */
async function strikeAt(stage, step, strike) {
  for (let attempt = 1; attempt <= attemptsMax; attempt += 1) {
    const at = await (step.number === 1 ? strikeAtRequest(stage, step, strike) : strikeOnce(stage, step, strike))
    if (at !== null) return at
    await stage.settled()
  }
  throw new Error(`${attemptsMax} handovers ended before step ${step.number} began`)
}

async function strikeOnce(stage, step, strike) {
  const struck = stage.log
    .next((event) => event.type === step.event || isEnd(event), step.event)
    .then(async ({ type }) => {
      if (type !== step.event) return null
      const at = Date.now()
      await strike()
      return at
    })
  await stage.handOver()
  return struck
}

async function strikeAtRequest(stage, step, strike) {
  const { primary } = await stage.cast()
  const struck = stage.log.nextOf(step.event).then(async () => {
    const at = Date.now()
    await strike()
    return at
  })
  const ended = stage.log.next(isEnd, 'end of the handover', 120_000)
  await stage.order('POST', `/api/servers/${primary}/drain`)
  const at = await struck
  // Before that, the reason to leave would be gone.
  await ended
  await stage.order('DELETE', `/api/servers/${primary}/drain`)
  return at
}

const isEnd = ({ type }) => type === 'HandoverCompleted' || type === 'HandoverAborted'

const strikes = {
  kill: async (stage, part, cast) => kill(stage, roleOf(part, cast)),
  hang: async (stage, part, cast) =>
    part === 'store' ? lockStore(stage, hangMs) : suspend(stage, roleOf(part, cast), hangMs),
}

async function play(stage, { part, fate, step }) {
  const cast = await stage.cast()
  if (part !== 'store' || fate !== 'kill') return strikeAt(stage, step, () => strikes[fate](stage, part, cast))
  const thread = await holdStoreThread(stage)
  try {
    return await strikeAt(stage, step, async () => thread.kill())
  } finally {
    thread.release()
  }
}

// One step after the other, and within it one part after the other: no part is hit twice in a row, which its supervisor
// would take for a part that cannot live.
const grid = steps.flatMap((step) =>
  fates.flatMap((fate) =>
    parts.map((part) => ({
      name: `${part}-${fate}-${step.number}`,
      group: 'processes',
      stage: 'ordinary',
      part,
      fate,
      step,
      what: `${part} ${fate === 'kill' ? 'killed' : 'hangs'}`,
      when: `${step.number} ${step.name}`,
      idleMs: fate === 'hang' ? hangMs : 0,
      allowedStallMs: part === 'ingest' ? allowedWithoutFeedMs : 0,
      play: (stage, cell) => play(stage, cell),
    })),
  ),
)

const at = (number) => steps[number - 1]
const whenOf = (step) => `${step.number} ${step.name}`

/** A cell of its own kind; `strike(stage, cast)` takes as long as the fault lasts. */
const special = ({ step, strike, ...cell }) => ({
  allowedStallMs: 0,
  idleMs: 0,
  when: whenOf(step),
  ...cell,
  play: async (stage) => {
    const cast = await stage.cast()
    return strikeAt(stage, step, () => strike(stage, cast))
  },
})

const hot = steps.flatMap((step) =>
  fates.map((fate) =>
    special({
      ...{ name: `hot-primary-${fate}-${step.number}`, group: 'hot', stage: 'hot', step },
      what: `hot standby, 1.5 s: primary ${fate === 'kill' ? 'killed' : 'hangs'}`,
      strike: (stage, cast) => strikes[fate](stage, 'primary', cast),
    }),
  ),
)

const partitionMs = 8_000
const roughMs = 15_000

/** Changes links for a while. */
const withLinks = (ms, change) => async (stage, cast) => {
  const { links } = stage.props
  change(links, cast)
  await pause(ms)
  for (const link of Object.values(links)) link.become({})
}
const ofServers = (links) => [links.s1, links.s2, links.s3]
const away = { cut: true }

const network = [
  [
    'delay-200',
    1,
    roughMs,
    '200 ms delay from every server',
    (links) => ofServers(links).map((link) => link.become({ delayMs: 200 }, {})),
  ],
  [
    'loss-5',
    1,
    roughMs,
    '5 % loss to and from every server',
    (links) => ofServers(links).map((link) => link.become({ loss: 0.05 })),
  ],
  [
    'delay-loss',
    1,
    roughMs,
    '200 ms delay and 5 % loss from every server',
    (links) => ofServers(links).map((link) => link.become({ delayMs: 200, loss: 0.05 }, {})),
  ],
  [
    'partition-primary-2',
    2,
    partitionMs,
    'primary cut off for 8 s',
    (links, { primary }) => links[primary].become(away),
  ],
  [
    'partition-primary-5',
    5,
    partitionMs,
    'primary cut off for 8 s',
    (links, { primary }) => links[primary].become(away),
  ],
  [
    'partition-standby-3',
    3,
    partitionMs,
    'standby cut off for 8 s',
    (links, { standby }) => links[standby].become(away),
  ],
  [
    'partition-standby-5',
    5,
    partitionMs,
    'standby cut off for 8 s',
    (links, { standby }) => links[standby].become(away),
  ],
  ['partition-control-2', 2, partitionMs, 'control plane cut off for 8 s', (links) => links.control.become(away)],
  ['partition-control-5', 5, partitionMs, 'control plane cut off for 8 s', (links) => links.control.become(away)],
  [
    'deaf-primary-4',
    4,
    partitionMs,
    'primary hears nobody for 8 s',
    (links, { primary }) => links[primary].become({}, away),
  ],
  [
    'mute-primary-4',
    4,
    partitionMs,
    'nobody hears the primary for 8 s',
    (links, { primary }) => links[primary].become(away, {}),
  ],
].map(([name, step, ms, what, change]) =>
  special({
    ...{ name, what, group: 'network', stage: 'network', ownNetwork: true, step: at(step), idleMs: ms },
    strike: withLinks(ms, change),
  }),
)

const fullMs = 10_000
const disk = [2, 5].map((step) =>
  special({
    ...{ name: `disk-full-${step}`, group: 'disk', stage: 'smallDisk', step: at(step), idleMs: fullMs },
    what: 'the disk of all files is full for 10 s',
    strike: (stage) => fillDisk(stage, fullMs),
  }),
)

const clockStepS = 60
const clocks = [
  ['control', clockStepS],
  ['control', -clockStepS],
  ['primary', clockStepS],
  ['primary', -clockStepS],
].map(([part, seconds]) =>
  special({
    name: `clock-${part}-${seconds > 0 ? 'forward' : 'back'}`,
    ...{ group: 'clocks', stage: 'clocks', step: at(3), idleMs: clockStepS * 1_000 },
    what: `the clock of the ${part === 'primary' ? 'primary' : 'control plane'} is set ${seconds > 0 ? 'forward' : 'back'} by 60 s, for 10 s`,
    strike: async (stage, cast) => {
      const set = stage.props.clocks[roleOf(part, cast)]
      await set(seconds)
      await pause(10_000)
      await set(0)
    },
  }),
)

const wiped = [2, 4, 6].map((step) =>
  special({
    ...{ name: `nats-wiped-${step}`, group: 'broker', stage: 'ordinary', step: at(step) },
    what: 'broker killed, its stored messages lost',
    strike: wipeBroker,
  }),
)

const longMs = 60_000
/** What was measured in the time without a store or broker is there afterwards, as often as at other times. */
const samplesOfTheTime = (_stage, events, struckAt) => {
  const servers = ['server-s1', 'server-s2', 'server-s3']
  const wanted = longMs / 1_000 - 5
  return servers.flatMap((server) => {
    const found = events.filter(
      ({ streamId, type, data }) =>
        streamId === server &&
        type === 'HealthSampled' &&
        data.sample.takenAt > struckAt &&
        data.sample.takenAt < struckAt + longMs,
    ).length
    return found >= wanted ? [] : [`${found} samples of ${server} from that minute; ${wanted} were expected`]
  })
}

const long = [
  special({
    ...{ name: 'store-slow', group: 'store', stage: 'ordinary', step: at(2), idleMs: 30_000 },
    what: 'every commit takes 2 s, for 24 s',
    strike: async (stage) => {
      for (let pulse = 0; pulse < 12; pulse += 1) {
        await lockStore(stage, 2_000)
        await pause(150)
      }
    },
  }),
  special({
    ...{ name: 'store-gone-60', group: 'store', stage: 'ordinary', step: at(2), idleMs: longMs },
    what: 'the log cannot be written for 60 s',
    strike: (stage) => lockStore(stage, longMs),
    check: samplesOfTheTime,
  }),
  special({
    ...{ name: 'nats-gone-60', group: 'broker', stage: 'ordinary', step: at(2), idleMs: longMs },
    what: 'the broker is away for 60 s',
    strike: (stage) => keepDown(stage, 'nats', longMs),
    check: samplesOfTheTime,
  }),
]

export const cells = [...grid, ...long, ...wiped, ...hot, ...network, ...disk, ...clocks]
