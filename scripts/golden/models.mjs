// Histories of the one stream in which the models of a fleet are trained, put in force and taken back: requests and
// trainings at fixed moments, and what the rules in force decide about them.

const startsAt = Date.UTC(2026, 0, 1)
const hourMs = 3_600_000

const figures = { incidents: 20, serverDays: 4, recall: 0.5, falseAlarmsPerDay: 1, auc: 0.7 }

/** The gain is at least `low`, against the model with this artifact. */
const compared = (against, low) => ({
  challenger: { ...figures, recall: 0.7 },
  champion: figures,
  budget: 1,
  gain: { value: 0.2, low, high: 0.4 },
  against,
})

const trained = (artifact, trigger, data, comparison) => ({
  type: 'ModelTrained',
  data: {
    ...{ model: `model-${artifact}`, artifact, learner: 'measurements', trigger, data, comparison },
    weights: { forecast: 0.5, disk: 0.5 },
  },
})
const shipped = (artifact) => trained(artifact, 'shipped', null, null)
const challenger = (artifact, against, low = 0.05) => {
  const data = { from: startsAt, until: startsAt + hourMs, rows: 1_000, positives: 50, servers: 3 }
  return trained(artifact, 'schedule', data, compared(against, low))
}
const ask = { type: 'TrainingRequested', data: { trigger: 'schedule', by: 'the schedule' } }
const rollback = { type: 'ModelRollbackRequested', data: { by: 'golden' } }
const promotion = (artifact) => ({ type: 'ModelPromotionRequested', data: { artifact, by: 'golden' } })
const risks = (artifact, shares) => ({
  type: 'RiskDistributionSeen',
  data: { artifact, distribution: { from: startsAt, until: startsAt + hourMs, samples: 5_000, shares } },
})
/** Told as what came of the training that was ordered last. */
const outcome = (fact) => ({ ...fact, ofTraining: true })

const rejections = Array.from({ length: 50 }, (_, day) => [ask, outcome(challenger(`rejected-${day}`, 'b', -0.1))])

export const modelHistories = [
  {
    name: 'learned-and-taken-back',
    what: 'a model is learned, drifts, and is taken back; another is asked for by an operator',
    facts: [
      ...[shipped('a'), ask, outcome(challenger('b', 'a')), risks('b', [0.9, 0.1, 0]), risks('b', [0.6, 0.3, 0.1])],
      outcome({ type: 'TrainingFailed', data: { trigger: 'drift', reason: 'too few incidents' } }),
      ...[rollback, rollback, promotion('unknown'), promotion('b'), shipped('c')],
    ],
  },
  {
    name: 'many-rejected',
    what: 'fifty trained models are rejected, then the shipped one is told again, and the model in force is taken back',
    facts: [shipped('a'), ask, outcome(challenger('b', 'a')), ...rejections.flat(), shipped('a'), rollback],
  },
  {
    name: 'taken-back-while-training',
    what: 'the model in force is taken back while another is trained against it',
    facts: [shipped('a'), ask, outcome(challenger('b', 'a')), ask, rollback, outcome(challenger('c', 'b'))],
  },
]

/** Tells one history to the fleet's model, an hour between facts, and hands back what is recorded. */
export async function runModels({ name, facts }, { Entity, decider, createMemoryStore, derivedId, fleetModel }) {
  const store = createMemoryStore()
  let now = startsAt
  let training = null
  const entity = new Entity({
    ...{ decider, entity: fleetModel, store, clock: { now: () => now, after: () => () => undefined } },
    onCommitted: (_state, events) => {
      training = events.findLast(({ type }) => type === 'TrainingOrdered')?.id ?? training
    },
    isClosing: () => false,
  })
  for (const { ofTraining = false, ...fact } of facts) {
    const id = derivedId(now, 'golden', name, now)
    await entity.handle({ ...fact, id, ...(ofTraining ? { causationId: training } : {}) })
    now += hourMs
  }
  const events = []
  for await (const event of store.readAll()) events.push(event)
  await store.close()
  return events
}
