import {
  fetchFrom,
  isComplete,
  isGone,
  moveTo,
  plan,
  reroute,
  settle,
  type FetchEffect,
  type FetchState,
  type FetchTerms,
  type Outcome,
} from '../../src/client/fetching.js'

interface Scene {
  readonly nowMs?: number
  readonly candidates?: ReadonlyArray<string>
  readonly avoided?: Readonly<Record<string, number>>
  readonly dueMs?: number
}

const terms = ({ nowMs = 0, candidates = ['a', 'b'], avoided = {}, dueMs = 1_000 }: Scene): FetchTerms => ({
  nowMs,
  candidates: () => candidates,
  standing: (server) => ({ avoidedUntilMs: avoided[server] ?? 0, proven: true, suspect: false }),
  expectedAtMs: (number) => dueMs + (number - 7) * 300,
  marginMs: () => 200,
})

/** Attempts made so far, as `<server> <track> <number>`. */
const asked = (effects: ReadonlyArray<FetchEffect>): ReadonlyArray<string> =>
  effects.flatMap((e) => (e.type === 'ask' ? [`${e.attempt.server} ${e.attempt.track} ${e.attempt.number}`] : []))
const typesOf = (effects: ReadonlyArray<FetchEffect>): ReadonlyArray<string> => effects.map((effect) => effect.type)
const idOf = (state: FetchState, server: string, track: string, number: number): number =>
  state.attempts.find((a) => a.server === server && a.track === track && a.number === number)?.id ?? -1
const ended = (state: FetchState, server: string, track: string, number: number, outcome: Outcome, scene: Scene) =>
  settle(state, idOf(state, server, track, number), outcome, terms(scene))

const begun = (): FetchState => plan(fetchFrom(7), terms({})).state

describe('fetching', () => {
  test('has two numbers of both tracks under way, asked of the best server', () => {
    const first = plan(fetchFrom(7), terms({}))
    expect(asked(first.effects)).toEqual(['a video 7', 'a audio 7', 'a video 8', 'a audio 8'])
    expect(first.wakeAtMs).toBe(1_200)
    expect(plan(first.state, terms({ nowMs: 500 })).effects).toEqual([])
  })

  test('asks for the next number when the lowest is complete', () => {
    const video = ended(begun(), 'a', 'video', 7, 'valid', {})
    expect(isComplete(video.state)).toBe(false)
    const both = ended(video.state, 'a', 'audio', 7, 'valid', {})
    expect(isComplete(both.state)).toBe(true)
    const next = plan(moveTo(both.state, 8), terms({ nowMs: 1_000 }))
    expect(asked(next.effects)).toEqual(['a video 9', 'a audio 9'])
  })

  test('asks the other server too when an answer is overdue, and finds out whether the first lives', () => {
    const { effects } = plan(begun(), terms({ nowMs: 1_200 }))
    expect(asked(effects)).toEqual(['b video 7', 'b audio 7'])
    expect(effects).toContainEqual({ type: 'probe', server: 'a' })
    expect(typesOf(effects)).not.toContain('abort')
  })

  test('replaces what waits at a server that is avoided at once', () => {
    const { effects } = plan(begun(), terms({ nowMs: 10, avoided: { a: 260 } }))
    expect(asked(effects)).toEqual(['b video 7', 'b audio 7', 'b video 8', 'b audio 8'])
  })

  test('takes the first valid answer and no second one', () => {
    const hedged = plan(begun(), terms({ nowMs: 1_200 })).state
    const first = ended(hedged, 'b', 'video', 7, 'valid', { nowMs: 1_205 })
    expect(first).toMatchObject({ accepted: true, hedged: true })
    const second = ended(first.state, 'a', 'video', 7, 'valid', { nowMs: 1_210 })
    expect(second).toMatchObject({ accepted: false, late: true })
  })

  test('ignores an answer to an attempt that it has given up', () => {
    const state = begun()
    const id = idOf(state, 'a', 'video', 7)
    const gone = plan(moveTo(state, 9), terms({ nowMs: 10 })).state
    expect(settle(gone, id, 'valid', terms({}))).toMatchObject({ attempt: null, accepted: false, late: false })
  })

  test('blames the server that was asked first and lost, once it has kept silent a little longer', () => {
    const hedged = plan(begun(), terms({ nowMs: 1_200 })).state
    const won = ended(hedged, 'b', 'video', 7, 'valid', { nowMs: 1_205 }).state
    expect(typesOf(plan(won, terms({ nowMs: 1_300 })).effects)).not.toContain('missed')
    const { effects } = plan(won, terms({ nowMs: 1_355 }))
    const missed = effects.filter((effect) => effect.type === 'missed')
    expect(missed).toMatchObject([{ attempt: { server: 'a', number: 7, track: 'video' } }])
  })

  test('does not blame the server that was asked second for being slower', () => {
    const hedged = plan(begun(), terms({ nowMs: 1_200 })).state
    const won = ended(hedged, 'a', 'video', 7, 'valid', { nowMs: 1_205 }).state
    const { effects } = plan(won, terms({ nowMs: 1_206 }))
    expect(effects).toMatchObject([{ type: 'abort', attempt: { server: 'b' } }])
  })

  test('waits for a segment that does not exist yet without bothering the standby', () => {
    const early = ended(begun(), 'a', 'video', 7, 'not-yet', { nowMs: 10 }).state
    const before = plan(early, terms({ nowMs: 11 }))
    expect(asked(before.effects)).toEqual([])
    expect(before.wakeAtMs).toBe(800)
    expect(asked(plan(early, terms({ nowMs: 800 })).effects)).toEqual(['a video 7'])
  })

  test.each<Outcome>(['hash', 'malformed', 'stale', 'fenced', 'gone', 'status', 'refused', 'reset'])(
    'goes to the other server at once after %s, and back only after a pause',
    (outcome) => {
      const failed = ended(begun(), 'a', 'video', 7, outcome, { nowMs: 10 }).state
      const second = plan(failed, terms({ nowMs: 10 }))
      expect(asked(second.effects)).toEqual(['b video 7'])
      const both = ended(second.state, 'b', 'video', 7, outcome, { nowMs: 20 }).state
      const third = plan(both, terms({ nowMs: 20 }))
      expect(asked(third.effects)).toEqual([])
      expect(third.wakeAtMs).toBeGreaterThanOrEqual(110)
    },
  )

  test('knows that a number is gone only when every server says so', () => {
    const one = ended(begun(), 'a', 'video', 7, 'gone', {}).state
    expect(isGone(one, terms({}))).toBe(false)
    const asking = plan(one, terms({ nowMs: 1 })).state
    expect(isGone(ended(asking, 'b', 'video', 7, 'gone', {}).state, terms({}))).toBe(true)
  })

  test('gives up an attempt that nobody answers for seconds, and asks again', () => {
    const { effects } = plan(begun(), terms({ nowMs: 5_300, candidates: ['a'] }))
    expect(effects.filter((e) => e.type === 'expired')).toHaveLength(4)
    expect(asked(effects)).toHaveLength(4)
  })

  test('prefers any server that is not avoided, but would rather ask an avoided one than nobody', () => {
    const avoided = { a: 500, b: 400 }
    expect(asked(plan(fetchFrom(7), terms({ avoided: { a: 500 } })).effects)[0]).toBe('b video 7')
    expect(asked(plan(fetchFrom(7), terms({ avoided })).effects)[0]).toBe('b video 7')
  })

  test('drops what waits at a server that may not be asked any more', () => {
    const { effects } = plan(begun(), terms({ nowMs: 5, candidates: ['b'] }))
    expect(typesOf(effects).filter((type) => type === 'abort')).toHaveLength(4)
    expect(asked(effects)).toEqual(['b video 7', 'b audio 7', 'b video 8', 'b audio 8'])
  })

  test('redirects the numbers of a new epoch alone', () => {
    const { state, aborted } = reroute(begun(), 8, terms({ candidates: ['b', 'a'] }))
    expect(aborted.map(({ number }) => number)).toEqual([8, 8])
    expect(asked(plan(state, terms({ nowMs: 1, candidates: ['b', 'a'] })).effects)).toEqual(['b video 8', 'b audio 8'])
  })
})
