import { renderWhatIf, whatIf, type Alternative } from '../../../src/projections/index.js'
import type { RecordedEvent } from '../../../src/events/index.js'
import { goldenEvents } from '../../support/ledgeredLog.js'
import { streamed } from '../../golden/histories.js'

const threshold = (score: number): Alternative => ({
  name: `threshold ${score}`,
  policy: { threshold: score },
})
const ask = (...alternatives: ReadonlyArray<Alternative>) => whatIf(streamed(goldenEvents('real-leak')), alternatives)

describe('what if', () => {
  it('decides the same under the recorded policy', async () => {
    const { recorded, alternatives } = await ask({
      name: 'as it was',
      policy: {},
    })
    expect(recorded.handovers).toBe(1)
    expect(alternatives[0]).toMatchObject({
      handovers: 1,
      kept: 1,
      avoided: 0,
      new: 0,
      earlier: 0,
      later: 0,
    })
    expect(alternatives[0]?.alarms.map(({ at, score }) => ({ at, score }))).toEqual(
      recorded.alarms.map(({ at, score }) => ({ at, score })),
    )
  })

  it('avoids the handover under a threshold that no score falls below, and foresees nothing', async () => {
    const { alternatives, failures } = await ask(threshold(0))
    expect(failures.length).toBeGreaterThan(0)
    expect(alternatives[0]).toMatchObject({
      handovers: 0,
      avoided: 1,
      foreseen: 0,
      recall: 0,
      leadMs: null,
    })
  })

  it('alarms no later the higher the threshold is, and foresees the death of the leaking server', async () => {
    const { alternatives } = await ask(threshold(50), threshold(60), threshold(75))
    const first = alternatives.map(({ alarms }) => alarms.find(({ server }) => server === 's1')?.at ?? Infinity)
    expect(first.toSorted((a, b) => b - a)).toEqual(first)
    expect(alternatives.at(-1)?.changes[0]?.what).toMatch(/earlier|kept/)
    expect(alternatives.map(({ recall }) => recall)).toContain(1)
    const leads = alternatives.flatMap(({ leadMs }) => leadMs?.median ?? [])
    expect(Math.min(...leads)).toBeGreaterThan(1_000)
  })

  it('gives each alternative the same answer alone as side by side', async () => {
    const side = (
      await ask(threshold(40), threshold(60), {
        name: 'horizon',
        policy: { horizonMs: 60_000 },
      })
    ).alternatives
    const alone = await Promise.all(
      [threshold(40), threshold(60), { name: 'horizon', policy: { horizonMs: 60_000 } }].map(
        async (each) => (await ask(each)).alternatives[0],
      ),
    )
    expect(side).toEqual(alone)
  })

  it('takes weights of another model', async () => {
    const blind = { model: 'blind', artifact: null, weights: { jitter: 1 } }
    const { alternatives } = await ask({
      name: 'blind',
      policy: {},
      model: blind,
    })
    expect(alternatives[0]).toMatchObject({ handovers: 0, avoided: 1 })
  })

  it('decides the same with the learned model of the log, given as another model', async () => {
    const activated = goldenEvents('real-leak').find(({ type }) => type === 'ModelActivated')
    const model = activated?.data as NonNullable<Alternative['model']>
    expect(model.artifact).toMatch(/^[0-9a-f]{64}$/)
    const { recorded, alternatives } = await ask({ name: 'learned', policy: {}, model })
    expect(alternatives[0]).toMatchObject({ handovers: 1, kept: 1, avoided: 0, new: 0 })
    expect(alternatives[0]?.alarms.map(({ score }) => score)).toEqual(recorded.alarms.map(({ score }) => score))
  })

  it('counts an alarm that nothing followed as false', async () => {
    const events = goldenEvents('real-leak').filter(
      ({ type, revision }: RecordedEvent) =>
        revision === 0 ||
        !['HeartbeatMissed', 'ProbeFailed', 'ServerLeft', 'ServerFailed', 'ServerJoined'].includes(type),
    )
    const { failures, alternatives } = await whatIf(streamed(events), [threshold(60)])
    expect(failures).toEqual([])
    expect(alternatives[0]).toMatchObject({ recall: null, foreseen: 0 })
  })

  it('is shown on a page with curve, table and timelines', async () => {
    const page = renderWhatIf(await ask(threshold(40), threshold(60)), 'a <log>')
    expect(page).toContain('a &lt;log&gt;')
    expect(page.match(/<svg/g)).toHaveLength(1 + 3)
    expect(page).not.toMatch(/NaN|Infinity|undefined/)
  })

  it('has an answer for an empty log', async () => {
    const result = await whatIf(streamed([]), [threshold(60)])
    expect(renderWhatIf(result, 'log')).toContain('log, no events: 0 health samples of 0 servers')
    expect(result).toMatchObject({
      from: null,
      until: null,
      samples: 0,
      alternatives: [{ handovers: 0, recall: null, falseADay: 0 }],
    })
  })
})
