import { deciders, ruleBook } from '../../src/actors/index.js'
import { parseStreamId, type EventIn, type HandoverCause } from '../../src/events/index.js'
import { replayLog } from '../../src/projections/index.js'
import { readHistories, readStreamOf, streamed } from './histories.js'

const histories = readHistories()
const inForce = { server: deciders.server.version, stream: deciders.stream.version, client: deciders.client.version }
const current = histories.filter(({ versions }) => JSON.stringify(versions) === JSON.stringify(inForce))

const advice =
  'The rules decide otherwise than when this was recorded. If that is meant: raise the version of the decider that ' +
  'changed, keep the decider that it replaces in src/actors/rules.ts, and record anew: npm run golden -- --real'

describe('the rules that recorded a history', () => {
  it.each(histories.map((history) => [history.path, history] as const))(
    'decide the same again: %s',
    async (_path, { events }) => {
      const verdict = await replayLog(streamed(events), ruleBook, { readStream: readStreamOf(events) })
      const told = verdict.identical ? 'identical' : { advice, ...verdict }
      expect(told).toBe('identical')
      expect(verdict.decisions).toBeGreaterThan(3)
    },
  )
})

describe('the histories of the rules in force', () => {
  const streamEvents = current
    .flatMap(({ events }) => events)
    .filter((event) => parseStreamId(event.streamId)?.category === 'stream') as unknown as ReadonlyArray<
    EventIn<'stream'>
  >
  const of = <T extends EventIn<'stream'>['type']>(type: T) =>
    streamEvents.filter((event): event is Extract<EventIn<'stream'>, { readonly type: T }> => event.type === type)
  const causes: ReadonlyArray<HandoverCause> = ['prediction', 'maintenance', 'drain', 'failure', 'operator']

  it.each(causes)('hold a handover by %s that was completed', (cause) => {
    expect(of('HandoverCompleted').filter((event) => event.data.cause === cause)).not.toEqual([])
  })

  it('hold aborted ones, revoked cut-overs and replaced standbys', () => {
    expect(of('HandoverAborted')).not.toEqual([])
    expect(of('CutoverRevoked')).not.toEqual([])
    expect(of('StandbyActivationOrdered').filter((event) => event.data.attempt > 1)).not.toEqual([])
  })

  it.each(['control', 'target'])('hold a crash of the %s in each step', (who) => {
    expect(current.filter(({ name }) => name.startsWith(`${who}-crash-at-`)).length).toBeGreaterThanOrEqual(10)
  })

  it('hold what real fleets did', () => {
    expect(current.filter(({ name }) => name.startsWith('real-')).map(({ what }) => what)).toEqual([
      'a real fleet: failure',
      'a real fleet: prediction',
    ])
  })
})
