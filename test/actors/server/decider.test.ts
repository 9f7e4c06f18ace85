import { ruleBook, serverDecider, standingOf, stateAfterCut, type ServerState } from '../../../src/actors/index.js'
import { defaultServerPolicy, type Payload } from '../../../src/events/index.js'
import { healthySample } from '../../support/healthSample.js'
import { only, Story, typesOf } from '../../support/story.js'

type ServerFact = Payload<'server'>
type ServerStory = Story<'server', ServerState>

const limit = 400_000_000

const joined = (bootId = 'boot-1'): ServerFact => ({
  type: 'ServerJoined',
  data: {
    server: 's1',
    bootId,
    url: 'http://127.0.0.1:7201',
    memoryLimitBytes: limit,
    capacityStreams: 8,
    startedAt: 0,
    location: null,
  },
})

function sampled(seq: number, residentBytes = 120_000_000, bootId = 'boot-1'): ServerFact {
  const healthy = healthySample('s1', bootId, seq)
  const sample = { ...healthy, process: { ...healthy.process, residentBytes, memoryLimitBytes: limit } }
  return { type: 'HealthSampled', data: { sample, path: { rttMs: 1, lossRatio: 0, jitterMs: 0.2 } } }
}

const silent: ServerFact = { type: 'HeartbeatMissed', data: { lastHeartbeatAt: 0, silentMs: 310 } }
const refused: ServerFact = { type: 'ProbeFailed', data: { reason: 'refused' } }
const viewers: ServerFact = { type: 'ViewersReportedTrouble', data: { sessions: 3, reason: 'timeout' } }
const resumed: ServerFact = { type: 'HeartbeatResumed', data: { bootId: 'boot-1', silentMs: 2_000 } }
const answered: ServerFact = { type: 'ProbeSucceeded', data: { bootId: 'boot-1' } }

const left = (reason: string): ServerFact => ({ type: 'ServerLeft', data: { bootId: 'boot-1', reason } })

const fresh = (): ServerStory => new Story<'server', ServerState>(serverDecider, 's1').given(joined())

/** 30 s of health, one sample a second. */
function healthy(story = fresh()): ServerStory {
  for (let seq = 0; seq < 30; seq += 1) story.later(1_000).given(sampled(seq))
  return story
}

/** ... and then memory grows by 5 % of the limit a second, until `seconds` have passed. */
function leaking(seconds: number, story = healthy()): ServerStory {
  for (let second = 1; second <= seconds; second += 1) {
    story.later(1_000).given(sampled(29 + second, 120_000_000 + second * 0.05 * limit))
  }
  return story
}

/** ... and is well again, until the alarm clears. */
function cleared(): ServerStory {
  const story = leaking(9)
  for (let seq = 60; story.state.prediction?.cleared !== true; seq += 1) story.later(1_000).given(sampled(seq))
  return story
}

const lastId = (story: ServerStory) => story.log.at(-1)?.id
const wishes = (story: ServerStory) =>
  serverDecider.outstanding(story.state).map((effect) => [effect.type, 'reference' in effect ? effect.reference : null])
const predictions = (story: ServerStory) => story.log.filter((event) => event.type === 'InstabilityPredicted')

describe('predicting', () => {
  it('says nothing but the first band while a server is well', () => {
    expect(typesOf(healthy().log.filter((event) => event.metadata.kind === 'decision'))).toEqual(['StabilityAssessed'])
  })

  it('sees a leak before the limit is reached, names its factors, and asks for a handover', () => {
    const story = leaking(9)
    expect(predictions(story)).toHaveLength(1)
    const prediction = predictions(story)[0]
    expect(prediction?.data).toMatchObject({ model: 'hand-1', horizonMs: 20_000 })
    expect(standingOf(story.state)?.standing).toBe('unstable')
    const effect = serverDecider.outstanding(story.state)
    expect(effect).toEqual([expect.objectContaining({ cause: 'prediction', reference: prediction?.id })])
  })

  it('predicts nothing when told so, but goes on assessing', () => {
    const story = fresh().given({ type: 'PolicyChanged', data: { policy: { ...defaultServerPolicy, predict: false } } })
    for (let seq = 0; seq < 30; seq += 1) story.later(1_000).given(sampled(seq))
    leaking(12, story)
    expect(predictions(story)).toHaveLength(0)
    expect(story.state.assessment?.score).toBeLessThan(60)
  })

  it('clears and withdraws when the server is well again', () => {
    const story = leaking(9)
    for (let seq = 60; seq < 110; seq += 1) story.later(1_000).given(sampled(seq))
    expect(typesOf(story.log)).toContain('PredictionCleared')
    expect(serverDecider.outstanding(story.state)).toEqual([expect.objectContaining({ type: 'withdraw-handover' })])
  })

  it('is confirmed with its lead when the server dies', () => {
    const story = leaking(9).later(5_000).given(silent)
    const decisions = story.when(refused)
    expect(only(decisions, 'PredictionResolved').data).toMatchObject({ outcome: 'confirmed' })
    expect(only(decisions, 'PredictionResolved').data.leadMs).toBeGreaterThanOrEqual(5_000)
  })

  it('stands when the same process introduces itself again', () => {
    const story = leaking(9)
    expect(story.when(joined())).toEqual([])
    expect(standingOf(story.state)?.standing).toBe('unstable')
  })

  it('does not count a sample twice or out of its turn', () => {
    const story = healthy()
    const before = story.state.assessment
    story.given(sampled(29, limit), sampled(3, limit), sampled(12, limit, 'boot-0'))
    expect(story.state.assessment).toEqual(before)
  })
})

describe('noticing a failure', () => {
  it.each([
    ['silence', silent],
    ['a failed probe', refused],
    ['viewers', viewers],
  ])('never on %s alone, however often', (_name, signal) => {
    const story = healthy()
    for (let times = 0; times < 5; times += 1) expect(story.later(100).when(signal)).toEqual([])
  })

  it.each([
    ['silence and a failed probe', silent, refused],
    ['silence and viewers', silent, viewers],
    ['a failed probe and viewers', refused, viewers],
  ])('on %s', (_name, first, second) => {
    const failed = only(healthy().given(first).later(200).when(second), 'ServerFailed')
    expect(failed.data.signals).toHaveLength(2)
  })

  it('not on signals that were taken back or are long past', () => {
    expect(healthy().given(silent, resumed).when(refused)).toEqual([])
    expect(healthy().given(viewers).later(5_000).when(silent)).toEqual([])
  })

  it('takes the server back when it is heard and answers again', () => {
    const story = healthy().given(silent, refused).later(3_000)
    expect(story.when(resumed)).toEqual([])
    expect(only(story.when(answered), 'ServerRecovered').data.downMs).toBe(3_000)
    expect(standingOf(story.state)?.standing).toBe('stable')
  })

  it('withdraws what was asked for because it was gone, once it is back', () => {
    const story = healthy()
    const { id } = only(story.given(silent).when(refused), 'ServerFailed')
    expect(wishes(story)).toEqual([['request-handover', id]])
    story.given(resumed, answered)
    expect(wishes(story)).toEqual([['withdraw-handover', id]])
  })

  it('withdraws what was asked for because of an alarm that ends with its process, but not while that is gone', () => {
    const unnoticed = leaking(9)
    const alarm = predictions(unnoticed)[0]?.id
    unnoticed.given(joined('boot-2'))
    expect(wishes(unnoticed)).toEqual([['withdraw-handover', alarm]])

    const story = leaking(9).given(silent, refused)
    expect(wishes(story)).toEqual([['request-handover', expect.anything()]])
    story.given(joined('boot-2'))
    expect(wishes(story)).toEqual([
      ['withdraw-handover', predictions(story)[0]?.id],
      ['withdraw-handover', expect.anything()],
    ])
  })

  it('goes on withdrawing when another reason comes up, until every stream has long heard of it', () => {
    const story = cleared().given({ type: 'DrainRequested', data: { by: 'ops', bootId: null } })
    const drain = lastId(story)
    const alarm = predictions(story)[0]?.id
    expect(wishes(story)).toEqual([
      ['request-handover', drain],
      ['withdraw-handover', alarm],
    ])
    story.later(660_000).given(sampled(800))
    expect(wishes(story)).toEqual([['request-handover', drain]])
  })

  it('takes a restarted server back with nothing of its former life', () => {
    const story = leaking(9).given(silent, refused)
    expect(typesOf(story.when(joined('boot-2')))).toEqual(['ServerRecovered'])
    expect(story.state).toMatchObject({ failed: null, prediction: null, assessment: null, signals: [] })
  })
})

describe('draining', () => {
  const drain = (bootId: string | null = null): ServerFact => ({ type: 'DrainRequested', data: { by: 'ops', bootId } })
  const cancel = (bootId: string | null = null): ServerFact => ({ type: 'DrainCancelled', data: { by: 'ops', bootId } })
  const standing = (story: ServerStory) => standingOf(story.state)?.standing

  it('asks streams to leave until it is cancelled, then withdraws', () => {
    const story = healthy().given(drain())
    expect(serverDecider.outstanding(story.state)).toEqual([expect.objectContaining({ cause: 'drain' })])
    story.given(cancel())
    expect(serverDecider.outstanding(story.state)).toEqual([expect.objectContaining({ type: 'withdraw-handover' })])
  })

  it('ends with the process that drained itself: the next one is there for streams', () => {
    const story = healthy().given(drain('boot-1'))
    const asked = lastId(story)
    expect(standing(story)).toBe('draining')
    story.given(left('stopped'), refused).later(3_000).given(joined('boot-2'))
    expect(standing(story)).toBe('stable')
    expect(wishes(story)[0]).toEqual(['withdraw-handover', asked])
  })

  it('ends with its process also where nobody noticed that it was gone', () => {
    const story = healthy().given(drain('boot-1'), joined('boot-2'))
    expect([standing(story), story.state.drain]).toEqual(['stable', null])
  })

  it('goes on when the same process introduces itself again', () => {
    const story = healthy().given(drain('boot-1'), joined('boot-1'))
    expect(standing(story)).toBe('draining')
  })

  it('outlives the process where an operator wants it, before or after the process itself did', () => {
    for (const wanted of [[drain()], [drain(), drain('boot-1')], [drain('boot-1'), drain()]]) {
      const story = healthy().given(...wanted)
      const { drain: before } = story.state
      story.given(left('stopped'), refused).later(3_000).given(joined('boot-2'))
      expect(standing(story)).toBe('draining')
      expect(wishes(story)[0]).toEqual(['request-handover', before?.id])
    }
  })

  it('is not begun by news of a process that is over', () => {
    const story = healthy().given(joined('boot-2'), drain('boot-1'))
    expect(standing(story)).toBe('stable')
  })

  it('is known by the first who asked: whoever asks again changes nothing that streams hold', () => {
    const story = healthy().given(drain())
    const first = lastId(story)
    story.later(1_000).given(drain())
    expect(wishes(story)).toEqual([['request-handover', first]])
    story.given(cancel())
    expect(wishes(story)).toEqual([['withdraw-handover', first]])
  })

  it('that is cancelled twice is still withdrawn', () => {
    const story = healthy().given(drain())
    const asked = lastId(story)
    story.given(cancel(), cancel())
    expect(wishes(story)).toEqual([['withdraw-handover', asked]])
  })

  it('of an operator is not cancelled by the process, but its own is by either', () => {
    expect(standing(healthy().given(drain('boot-1'), drain(), cancel('boot-1')))).toBe('draining')
    expect(standing(healthy().given(drain('boot-1'), cancel('boot-1')))).toBe('stable')
    expect(standing(healthy().given(drain('boot-1'), cancel()))).toBe('stable')
  })
})

describe('a state that version 2 has left behind a cut', () => {
  const before = () => {
    const [, version2 = serverDecider] = ruleBook.server
    const story = leaking(9, healthy(new Story<'server', ServerState>(version2, 's1').given(joined())))
    const { leftInOrder: _, ...state } = story.given({
      type: 'DrainRequested',
      data: { by: 'ops', bootId: null },
    }).state
    const drain = { id: state.drain?.id ?? '' }
    return { ...state, drain, prediction: { ...state.prediction, bootId: undefined } }
  }

  it('is gone on with: its drain is an operator’s, and its alarm one of the boot that ends', () => {
    const state = stateAfterCut(serverDecider, 's1', JSON.parse(JSON.stringify({ 2: before() })) as unknown)
    if (state === undefined) throw new Error('no state')
    const story = new Story<'server', ServerState>({ ...serverDecider, initial: () => state }, 's1').later(100_000)
    expect(only(story.when(joined('boot-2')), 'PredictionResolved').data.outcome).toBe('confirmed')
    expect([standingOf(story.state)?.standing, story.state.drain?.id]).toEqual(['draining', before().drain.id])
  })

  it('has what states hold only since, also where its own rules go on', () => {
    const [, version2 = serverDecider] = ruleBook.server
    const { withdrawals: _, ...state } = before()
    expect(stateAfterCut(version2, 's1', { 2: state })).toMatchObject({ withdrawals: [], drain: before().drain })
  })
})

describe('a process that was asked to end', () => {
  const failed = (story: ServerStory) => only(story.when(refused), 'ServerFailed')

  it('is left at once, and is no incident', () => {
    const story = healthy().given(left('SIGTERM')).later(200)
    const { id } = failed(story)
    expect(serverDecider.outstanding(story.state)).toEqual([
      expect.objectContaining({ cause: 'failure', reference: id }),
    ])
    expect(story.state.history.onsets).toEqual([])
  })

  it('is one where it was killed, or ended by itself', () => {
    for (const reason of ['SIGKILL', 'exit code 1']) {
      const story = healthy().given(left(reason)).later(200)
      failed(story)
      expect(story.state.history.onsets).toHaveLength(1)
    }
  })

  it('confirms no alarm that had cleared: that was a false one', () => {
    const story = cleared().given(left('SIGTERM'))
    const resolved = only(story.when(refused), 'PredictionResolved')
    expect(resolved.data).toMatchObject({ outcome: 'unconfirmed', leadMs: null })
    expect(story.state.unneeded).toHaveLength(1)
  })

  it('shows of an alarm that stood neither that it was right nor that it was unneeded', () => {
    const story = leaking(9).given(left('SIGTERM'))
    expect(only(story.when(refused), 'PredictionResolved').data.outcome).toBe('unconfirmed')
    expect([story.state.unneeded, story.state.history.onsets]).toEqual([[], []])
  })

  it('confirms nothing where only the next process is noticed', () => {
    const story = leaking(9).given(left('SIGTERM'))
    expect(only(story.when(joined('boot-2')), 'PredictionResolved').data.outcome).toBe('unconfirmed')
    expect(only(leaking(9).when(joined('boot-2')), 'PredictionResolved').data.outcome).toBe('confirmed')
  })

  it('says nothing of the next one', () => {
    const story = healthy().given(left('SIGTERM'), refused, joined('boot-2')).later(1_000)
    only(story.given(silent).when(refused), 'ServerFailed')
    expect(story.state.history.onsets).toHaveLength(1)
  })
})
