import type { Payload } from '../../../src/events/index.js'
import {
  clientSessions,
  clientSwitches,
  dailyHandovers,
  dailyServers,
  handovers,
  handoverSteps,
  predictions,
  servers,
  streams,
} from '../../../src/projections/readModel/index.js'
import { dailyProjection } from '../../../src/projections/readModel/daily.js'
import { fleetProjection } from '../../../src/projections/readModel/fleet.js'
import { handoversProjection } from '../../../src/projections/readModel/handovers.js'
import { predictionsProjection } from '../../../src/projections/readModel/predictions.js'
import { sessionsProjection } from '../../../src/projections/readModel/sessions.js'
import { streamsProjection } from '../../../src/projections/readModel/streams.js'
import { predicted, sampled, serverJoined } from '../../support/serverFacts.js'
import { settling } from '../../support/streamFacts.js'
import * as facts from '../../support/streamFacts.js'
import { Told } from '../../support/tables.js'

/** A predicted handover of `main` from s1 to s2, from the first event to the end, as the rules decide it. */
function wholeHandover(): ReadonlyArray<Payload<'stream'> & { readonly at: number }> {
  const story = settling().given(facts.measured(2, 1), facts.drained(2, 's1')).later(300)
  story.given(facts.synchronized(story.state.standby?.order ?? '', 's3', 500))
  return story.log.map(({ type, data, metadata }) => ({ type, data, at: metadata.occurredAt }) as never)
}

function telling(told: Told): Told {
  for (const { at, ...payload } of wholeHandover()) {
    told.now = at
    told.tell('stream', 'main', payload)
  }
  return told
}

describe('handovers', () => {
  test('one is a row with its outcome, its times and what viewers measured', () => {
    const row = telling(new Told(handoversProjection)).row(handovers, 'main-h1')
    expect(row).toMatchObject({
      ...{ stream: 'main', cause: 'prediction', from_server: 's1', to_server: 's2', outcome: 'completed', epoch: 2 },
      ...{ attempts: 1, emergency: false, reference: 'alarm-1', sessions: 1, gaps: 0, stalls: 0, incomplete: [] },
    })
    expect(row?.switched_ms).toBe(row?.trigger_to_switch_ms)
    expect((row?.ended_at ?? 0) - (row?.requested_at ?? 0)).toBeGreaterThan(row?.switched_ms ?? Infinity)
  })

  test('its steps follow each other, each with its event', () => {
    const steps = telling(new Told(handoversProjection)).rows(handoverSteps)
    expect(steps.map(({ step }) => step)).toEqual(steps.map((_, index) => index))
    expect(steps.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        'started',
        'standby level',
        'buffer stitched',
        'cut-over chosen',
        'switched',
        'completed',
      ]),
    )
  })
})

describe('streams', () => {
  test('one shows where it plays after a handover', () => {
    expect(telling(new Told(streamsProjection)).row(streams, 'main')).toMatchObject({
      ...{ primary_server: 's2', epoch: 2, standby_server: 's3', standby_synchronized: true },
      ...{ handover: null, handovers_completed: 1, handovers_aborted: 0, frame_height: 360 },
    })
  })
})

describe('figures of a day', () => {
  test('count a handover by cause and server on the day it began', () => {
    const [row, ...more] = telling(new Told(dailyProjection)).rows(dailyHandovers)
    expect(more).toEqual([])
    expect(row).toMatchObject({ cause: 'prediction', server: 's1', started: 1, completed: 1, aborted: 0, damaged: 0 })
    expect(row?.switch_ms_max).toBe(row?.switch_ms_sum)
  })

  test('belong to UTC days', () => {
    const told = new Told(dailyProjection)
    told.now = Date.UTC(2026, 2, 1, 23, 59, 59, 999)
    told.tell('server', 's1', sampled('s1', 'b1', 0))
    told.later(1).tell('server', 's1', sampled('s1', 'b1', 1))
    expect(told.rows(dailyServers).map(({ day, samples }) => [day, samples])).toEqual([
      ['2026-03-01', 1],
      ['2026-03-02', 1],
    ])
  })
})

describe('the fleet', () => {
  test('a server stands as its newest events say', () => {
    const told = new Told(fleetProjection)
    told.tell('server', 's1', serverJoined('s1', 'b1'))
    told.tell('server', 's1', sampled('s1', 'b1', 4))
    expect(told.row(servers, 's1')).toMatchObject({ standing: 'stable', memory_ratio: 0.25, last_sample_seq: 4 })
    const prediction = told.tell('server', 's1', predicted(4))
    expect(told.row(servers, 's1')).toMatchObject({ standing: 'unstable', open_prediction: prediction, score: 40 })
    told.tell('server', 's1', { type: 'ServerFailed', data: { bootId: 'b1', signals: [], firstSignalAt: told.now } })
    expect(told.row(servers, 's1')?.standing).toBe('failed')
    told.tell('server', 's1', { type: 'ServerRecovered', data: { bootId: 'b2', downMs: 5 } })
    told.tell('server', 's1', { type: 'PredictionResolved', data: { prediction, outcome: 'confirmed', leadMs: 5 } })
    told.tell('server', 's1', { type: 'DrainRequested', data: { by: 'test', bootId: null } })
    expect(told.row(servers, 's1')?.standing).toBe('draining')
  })

  test('a server that drained itself is not drained any more when another process has taken its place', () => {
    const after = (...asking: ReadonlyArray<string | null>) => {
      const told = new Told(fleetProjection)
      told.tell('server', 's1', serverJoined('s1', 'b1'))
      for (const bootId of asking) told.tell('server', 's1', { type: 'DrainRequested', data: { by: 'test', bootId } })
      expect(told.row(servers, 's1')).toMatchObject({ draining: true, standing: 'draining' })
      told.tell('server', 's1', serverJoined('s1', 'b2'))
      return told.row(servers, 's1')
    }
    expect(after('b1')).toMatchObject({ draining: false, standing: 'stable' })
    expect(after('b1', null)).toMatchObject({ draining: true, standing: 'draining' })
  })

  test('a sample of an earlier boot changes nothing', () => {
    const told = new Told(fleetProjection)
    told.tell('server', 's1', serverJoined('s1', 'b2'))
    told.tell('server', 's1', sampled('s1', 'b1', 4))
    expect(told.row(servers, 's1')?.last_sample_at).toBeNull()
  })
})

describe('predictions', () => {
  test('one is told with what came of it', () => {
    const told = new Told(predictionsProjection)
    const prediction = told.tell('server', 's1', predicted(30))
    const at = { handover: 'main-h1', from: { id: 's1', url: '' }, to: { id: 's2', url: '' } }
    told.tell('stream', 'main', {
      type: 'HandoverStarted',
      data: { ...at, cause: 'prediction', reference: prediction, requestedAt: told.now },
    })
    told.later(1_000).tell('stream', 'main', {
      type: 'StreamSwitched',
      data: { ...at, epoch: 2, cutover: 10, triggerToSwitchMs: 900 },
    })
    const switchedAt = told.now
    told.later(9_000).tell('server', 's1', {
      type: 'PredictionResolved',
      data: { prediction, outcome: 'confirmed', leadMs: 10_000 },
    })
    expect(told.row(predictions, prediction)).toMatchObject({
      ...{ server: 's1', top_factor: 'forecast', outcome: 'confirmed', lead_ms: 10_000, resolved_at: told.now },
      ...{ handovers: 1, switched: 1, aborted: 0, first_switched_at: switchedAt },
    })
  })
})

describe('sessions', () => {
  const told = new Told(sessionsProjection)
  const tell = (payload: Payload<'client'>) => told.later(10).tell('client', 'viewer-1', payload)
  const measured = { gaps: 0, duplicates: 0, hashMismatches: 0, stalls: 1, stallMs: 80 }

  test('one sums up what a viewer lived through', () => {
    const at = { edge: 's1', epoch: 2, cutover: 10 }
    tell({
      type: 'ClientConnected',
      data: { session: 'viewer-1', stream: 'main', edge: 's1', epochKnown: null, agent: 'x' },
    })
    tell({ type: 'ClientNotified', data: { ...at, sequence: 3 } })
    tell({ type: 'ClientAcknowledged', data: { ...at, sequence: 3, elapsedMs: 4 } })
    tell({ type: 'ClientSwitched', data: { ...at, edge: 's2', server: 's2', firstNumber: 10, ...measured } })
    tell({ type: 'SwitchExperienced', data: { epoch: 2, verdict: 'stalled', acknowledgedInTime: true } })
    tell({ type: 'ClientLeft', data: { edge: 's1', reason: 'closed', totals: null } })
    expect(told.row(clientSessions, 'viewer-1')).toMatchObject({
      ...{ stream: 'main', edge: 's2', notified: 1, acknowledged: 1, switches: 1, stalled: 1, seamless: 0 },
      ...{ switch_stall_ms: 80, left_at: null, segments: null },
    })
    expect(told.row(clientSwitches, 'viewer-1', 2)).toMatchObject({ server: 's2', stall_ms: 80, verdict: 'stalled' })
  })

  test('its good-bye brings the totals', () => {
    const totals = { segments: 99, bufferMsMax: 2_600, latencyMs: 1_500, ...measured }
    tell({ type: 'ClientLeft', data: { edge: 's2', reason: 'stopped', totals } })
    expect(told.row(clientSessions, 'viewer-1')).toMatchObject({ left_at: told.now, segments: 99, stall_ms: 80 })
  })
})
