// The histories that are recorded in the simulated world: every cause of a handover, every way it ends, and a crash in
// each of its steps.

const calm = {
  servers: 3,
  streams: ['a'],
  standby: 'warm',
  viewers: 1,
  latencyMs: 2_000,
  skews: { control: 0, server: 0, viewer: 0 },
  appendMs: 2,
  sampleEveryMs: 0,
  model: false,
  snapshots: false,
  clientFacts: true,
  thorough: true,
  weather: { loss: 0, duplication: 0, reordering: 0, delayMs: 3 },
}

const episode = (cause, afterMs = 1_500, faults = []) => ({ stream: 'a', gapMs: 100, cause, afterMs, faults })
const fault = (kind, on, { target = 'target', delayMs = 0, durationMs = 1_500, append = null } = {}) => ({
  ...{ kind, on, target, delayMs, durationMs, append },
})

/** The events that end a step, and so begin the next. */
const steps = [
  'HandoverRequested',
  'StandbyActivationOrdered',
  'StandbyActivated',
  'BufferStitched',
  'CutoverChosen',
  'ClientsNotified',
  'CutoverReached',
  'StreamSwitched',
  'PrimaryDrained',
  'BufferSynchronized',
]

const history = (name, what, episodes, changes = {}) => ({
  name,
  what,
  scenario: { ...calm, ...changes, seed: `golden/${name}`, episodes },
})

/** `ask`: requests that nobody in the simulated world makes by itself, told to the control plane after `atMs`. */
export const simulatedHistories = [
  history('prediction', 'prediction', [episode('prediction', 2_500)], { sampleEveryMs: 1_000 }),
  history('prediction-cleared', 'an alarm that clears before K is chosen', [episode('alarm', 150)]),
  {
    ...history('drain-during-alarm', 'a drain is asked for while an alarm is followed that then clears', [
      episode('alarm', 150),
    ]),
    ask: [{ atMs: 3_340, stream: 'a', cause: 'drain', reference: 'drain-of-s1' }],
  },
  history('drain', 'drain', [episode('drain')]),
  history('drain-then-restart', 'a server drains itself and is there for streams again after its restart', [
    episode('drain', 2_500, [fault('crash-server', 'PrimaryDrained', { target: 'retiring', durationMs: 1_000 })]),
    episode('operator'),
  ]),
  history('failure-crash', 'failure: the primary crashes', [episode('crash', 3_000)]),
  history('failure-hang', 'failure: the primary hangs', [episode('hang', 3_000)], { standby: 'hot' }),
  history('failure-leave', 'failure: the primary leaves', [episode('leave', 3_000)], { standby: 'cold' }),
  history('operator', 'operator', [episode('operator'), episode('operator')]),
  history('operator-aborts', 'an operator aborts', [episode('abort', 120)]),
  {
    ...history('maintenance', 'maintenance', [{ ...episode('operator'), gapMs: 6_000 }]),
    ask: [{ atMs: 3_500, stream: 'a', cause: 'maintenance' }],
  },
  history('standby-replaced', 'the standby’s encoder is broken, another server takes over', [
    episode('operator', 1_500, [fault('broken-encoder', 'start', { target: 'standby' })]),
  ]),
  history('cutover-revoked', 'the target dies before K', [
    episode('operator', 1_500, [fault('crash-server', 'CutoverChosen', { durationMs: 5_000 })]),
  ]),
  history('several-controls', 'two control planes decide at once', [
    episode('operator', 1_500, [fault('several-controls', 'start', { durationMs: 5_000 })]),
    episode('crash', 3_000),
  ]),
  history('store-silent', 'appends whose outcome is unknown', [
    episode('operator', 1_500, [
      fault('store-unknown', 'HandoverStarted', { append: 'unknown-after' }),
      fault('store-unknown', 'CutoverChosen', { append: 'unknown-before' }),
    ]),
  ]),
  ...steps.flatMap((on) => [
    history(`control-crash-at-${on}`, `the control plane crashes at ${on}`, [
      episode('operator', 1_500, [fault('crash-control', on, { durationMs: 1_000 })]),
    ]),
    history(`target-crash-at-${on}`, `the server that takes over crashes at ${on}`, [
      episode('operator', 1_500, [fault('crash-server', on, { durationMs: 2_000 })]),
    ]),
  ]),
]

/**
 * Runs one history to its end in the simulated world.
 * @returns the recorded events, and what the world's own checkers found wrong
 */
export async function runSimulated({ scenario, ask = [] }, { World }) {
  const world = new World({ scenario, plant: null, trace: null, shipped: null })
  for (const { atMs, stream, cause, reference = null } of ask) {
    world.time.after(atMs, () => {
      const primary = world.controls[0].core?.index.stream(stream)?.route?.primary.id
      const request = { cause, server: primary, reference, target: null, requestedBy: 'golden' }
      world.controls[0].tell('stream', stream, 'HandoverRequested', request)
    })
  }
  const { violations } = await world.run()
  return { events: world.log.all, violations }
}
