// The matrix: what is hit, how, and when.
import { holdStoreThread, kill, lockStore, suspend } from './inflict.mjs'

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

/** Begins a handover and strikes the moment its step begins. Resolves, when the fault is over, to when it struck. */
async function strikeAt(stage, step, strike) {
  const struck = stage.log.nextOf(step.event).then(async () => {
    const at = Date.now()
    await strike()
    return at
  })
  if (step.number > 1) {
    await stage.handOver()
    return struck
  }
  const { primary } = await stage.cast()
  const ended = stage.log.next(isEnd, 'end of the handover', 60_000)
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

export const cells = [...grid]
