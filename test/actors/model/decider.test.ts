import { activeModel, modelDecider, type ModelState } from '../../../src/actors/index.js'
import { modelDeciderV1, modelDeciderV2 } from '../../../src/actors/model/decider.js'
import type { Payload } from '../../../src/events/index.js'
import { only, Story } from '../../support/story.js'

type Trained = Extract<Payload<'model'>, { readonly type: 'ModelTrained' }>

const test = { incidents: 20, serverDays: 4, recall: 0.5, falseAlarmsPerDay: 1, auc: 0.7 }
const compared = (value: number, low: number, against: string | null = 'a') => ({
  challenger: { ...test, recall: 0.5 + value },
  champion: test,
  budget: 1,
  gain: { value, low, high: value + 0.2 },
  against,
})

const trained = (artifact: string, changes: Partial<Trained['data']> = {}): Trained => ({
  type: 'ModelTrained',
  data: {
    model: `model-${artifact}`,
    artifact,
    learner: 'measurements',
    weights: { forecast: 0.5, disk: 0.5 },
    trigger: 'schedule',
    data: { from: 0, until: 1, rows: 1_000, positives: 50, servers: 3 },
    comparison: compared(0.2, 0.05),
    ...changes,
  },
})
const shipped = (artifact: string): Trained => trained(artifact, { trigger: 'shipped', data: null, comparison: null })
const rejections = (number: number): ReadonlyArray<Trained> =>
  Array.from({ length: number }, (_, day) => trained(`rejected-${day}`, { comparison: compared(0.2, -0.1, 'b') }))
const back: Payload<'model'> = { type: 'ModelRollbackRequested', data: { by: 'ann' } }
const fresh = () => new Story<'model', ModelState>(modelDecider, 'fleet')

describe('which model is in force', () => {
  it('is the shipped one at first, with weights half way to its own', () => {
    const story = fresh()
    const promoted = only(story.when(shipped('a')), 'ModelPromoted')
    expect(promoted.data).toMatchObject({ artifact: 'a', replaces: null })
    expect(promoted.data.weights.disk).toBeCloseTo(0.26, 2)
    expect(modelDecider.outstanding(story.state)).toMatchObject([{ type: 'activate-model', artifact: 'a' }])
  })

  it('is a trained one that is better, even at the lower end of the interval', () => {
    const story = fresh().given(shipped('a'))
    expect(only(story.when(trained('b')), 'ModelPromoted').data.reason).toMatch(/recall 70 % against 50 %/)
  })

  it('stays when a trained one is better by its point only, and says with which figures', () => {
    const story = fresh().given(shipped('a'))
    const rejected = only(story.when(trained('b', { comparison: compared(0.2, -0.01) })), 'ModelRejected')
    expect(rejected.data.reason).toMatch(/not shown to be better on later data: .*gain 20 % \(-1 % to 40 %\)/)
    expect(story.state.active?.artifact).toBe('a')
  })

  it('stays when a training fails', () => {
    const story = fresh().given(shipped('a'))
    expect(story.when({ type: 'TrainingFailed', data: { trigger: 'drift', reason: 'one class only' } })).toEqual([])
    expect(story.state).toMatchObject({ active: { artifact: 'a' }, failure: { reason: 'one class only' } })
  })

  it('goes back step by step, and no further than the first', () => {
    const story = fresh().given(shipped('a'), trained('b'), trained('c', { comparison: compared(0.2, 0.05, 'b') }))
    const first = only(story.when(back), 'ModelRolledBack')
    expect(first.data).toMatchObject({ artifact: 'b', replaces: 'c', reason: 'rolled back by ann' })
    expect(story.state.active).toMatchObject({ artifact: 'b', reference: first.id })
    expect(only(story.when(back), 'ModelRolledBack').data.artifact).toBe('a')
    expect(story.when(back)).toEqual([])
  })

  it('went back by a promotion in version 1 of the rules', () => {
    const story = new Story<'model', ModelState>(modelDeciderV1, 'fleet').given(shipped('a'), trained('b'))
    expect(only(story.when(back), 'ModelPromoted').data).toMatchObject({ artifact: 'a', reason: 'rolled back by ann' })
  })

  it('is one that an operator asks for, if it is known', () => {
    const story = fresh().given(shipped('a'), trained('b', { comparison: null }))
    expect(activeModel(story.state)?.artifact).toBe('a')
    const ask = (artifact: string) => story.when({ type: 'ModelPromotionRequested', data: { artifact, by: 'ann' } })
    expect(ask('unknown')).toEqual([])
    expect(only(ask('b'), 'ModelPromoted').data.replaces).toBe('a')
  })

  it('is not replaced by what is shipped once one was learned', () => {
    expect(fresh().given(shipped('a'), trained('b')).when(shipped('c'))).toEqual([])
  })

  it('is the newer of two shipped ones', () => {
    const promoted = only(fresh().given(shipped('a')).when(shipped('c')), 'ModelPromoted')
    expect(promoted.data).toMatchObject({ artifact: 'c', replaces: 'a', reason: 'a newer shipped model' })
  })

  it('stays known however many were rejected since, and so do the shipped one and the one before', () => {
    const story = fresh().given(shipped('a'), trained('b'), shipped('c'), ...rejections(120))
    expect(story.when(shipped('c'))).toEqual([])
    expect(activeModel(story.state)?.artifact).toBe('b')
    expect(story.state.known.map(({ artifact }) => artifact)).toEqual([
      ...['a', 'b'],
      ...Array.from({ length: 47 }, (_, day) => `rejected-${day + 73}`),
      'c',
    ])
    expect(only(story.when(back), 'ModelRolledBack').data.artifact).toBe('a')
  })

  it('was forgotten after fifty rejected ones in version 2 of the rules', () => {
    const story = new Story<'model', ModelState>(modelDeciderV2, 'fleet')
    story.given(shipped('a'), trained('b'), ...rejections(50))
    expect(only(story.when(shipped('a')), 'ModelPromoted').data).toMatchObject({ artifact: 'a', replaces: 'b' })
  })

  it('stays when a trained one was compared with another, or nobody knows with which', () => {
    const story = fresh().given(shipped('a'), trained('b'), back)
    const other = only(story.when(trained('c', { comparison: compared(0.2, 0.05, 'b') })), 'ModelRejected')
    expect(other.data.reason).toBe('it was compared with model-b, which is not in force: model-a is')
    const unknown = only(story.when(trained('d', { comparison: compared(0.2, 0.05, null) })), 'ModelRejected')
    expect(unknown.data.reason).toBe('it is not told with which model it was compared')
    expect(story.state.active?.artifact).toBe('a')
  })
})

describe('a training', () => {
  const ask: Payload<'model'> = { type: 'TrainingRequested', data: { trigger: 'operator', by: 'ann' } }
  const wants = (story: Story<'model', ModelState>) =>
    modelDecider.outstanding(story.state).filter(({ type }) => type === 'train-model')

  it('is wanted from the request on, until what came of it is told', () => {
    const story = fresh().given(shipped('a'))
    const ordered = only(story.when(ask), 'TrainingOrdered')
    expect(ordered.data).toEqual({ trigger: 'operator', reason: 'asked for by ann' })
    expect(wants(story)).toMatchObject([{ reference: ordered.id, trigger: 'operator', champion: 'a' }])
    // One at a time.
    expect(story.when(ask)).toEqual([])
    const failed: Payload<'model'> = { type: 'TrainingFailed', data: { trigger: 'operator', reason: 'too little' } }
    // Of another training: this one goes on.
    story.when(failed)
    expect(wants(story)).toHaveLength(1)
    story.when(failed, ordered.id)
    expect(wants(story)).toEqual([])
    expect(story.state).toMatchObject({ active: { artifact: 'a' }, training: null, trainingEndedAt: story.now })
  })

  it('is wanted against the model that is in force now', () => {
    const story = fresh().given(shipped('a'), trained('b'), ask)
    expect(wants(story)).toMatchObject([{ champion: 'b' }])
    const ordered = wants(story).map(({ key }) => key)
    story.when(back)
    expect(wants(story)).toMatchObject([{ champion: 'a' }])
    expect(wants(story).map(({ key }) => key)).toEqual(ordered)
  })

  it('is ordered when the risks are spread otherwise than at first, with the figures', () => {
    const seen = (shares: ReadonlyArray<number>, artifact = 'a'): Payload<'model'> => ({
      type: 'RiskDistributionSeen',
      data: { artifact, distribution: { from: 0, until: 1, samples: 5_000, shares } },
    })
    const story = fresh().given(shipped('a'), seen([0.9, 0.1, 0]))
    // A little, and that of a model that is not in force, is no drift.
    expect(story.when(seen([0.85, 0.15, 0]))).toEqual([])
    expect(story.when(seen([0, 0, 1], 'other'))).toEqual([])
    const decisions = story.when(seen([0.6, 0.3, 0.1]))
    // By hand: (0.6-0.9) ln(0.6/0.9) + (0.3-0.1) ln(0.3/0.1) + (0.1-0.001) ln(0.1/0.001) = 0.1216 + 0.2197 + 0.4559.
    expect(only(decisions, 'DriftDetected').data).toMatchObject({ index: 0.797, limit: 0.25, artifact: 'a' })
    expect(only(decisions, 'TrainingOrdered').data).toMatchObject({ trigger: 'drift' })
    // What it has become is the new normal.
    expect(story.when(seen([0.6, 0.3, 0.1]))).toEqual([])
  })
})
