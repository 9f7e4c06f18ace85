import type { EventIn, Factor } from '../../events/index.js'
import { anyTable, nothing, put, type Change, type Projection, type Rows } from './projection.js'
import { integer, internalTable, json, optional, real, table, text, time, word, type RowIn } from './table.js'

export const predictions = table('predictions', 'Every alarm, and what came of it.', ['prediction'], {
  prediction: text('id of the event InstabilityPredicted'),
  server: text('server that was judged'),
  predicted_at: time('when the alarm was raised'),
  score: real('stability score, 0 (failing) to 100 (healthy)'),
  risk: real('probability that an incident starts within the horizon'),
  threshold: real('score below which a server counted as unstable'),
  horizon_ms: real('how far ahead the risk looked, in milliseconds'),
  time_to_limit_ms: optional(real('until the first metric reaches its limit if its trend goes on, in milliseconds')),
  model: text('model that judged'),
  top_factor: optional(text('metric group that took most off the score')),
  factors: json<ReadonlyArray<Factor>>('metric groups with the points they took off'),
  boot_id: text('boot of the samples'),
  first_seq: integer('first sample that was looked at'),
  last_seq: integer('last sample that was looked at'),
  cleared_at: optional(time('when the score was back above the threshold')),
  resolved_at: optional(time('when its outcome was known')),
  outcome: word<'open' | 'confirmed' | 'unconfirmed'>('open, confirmed (the server failed) or unconfirmed'),
  lead_ms: optional(real('from the alarm to the failure, in milliseconds')),
  handovers: integer('handovers that it led to'),
  switched: integer('of these: the stream changed its server'),
  aborted: integer('of these: the stream stayed'),
  first_switched_at: optional(time('when the first stream had left')),
  last_switched_at: optional(time('when the last stream had left')),
})

const predictionOfHandover = internalTable('predictions_handovers', 'Which alarm led to a handover.', ['handover'], {
  handover: text('handover'),
  prediction: text('prediction'),
})

type Prediction = RowIn<typeof predictions>

/** Every prediction with its outcome and the handovers that followed. */
export const predictionsProjection: Projection = {
  name: 'predictions',
  version: 1,
  tables: [anyTable(predictions), anyTable(predictionOfHandover)],
  kept: [anyTable(predictions)],
  interests: {
    server: ['InstabilityPredicted', 'PredictionCleared', 'PredictionResolved'],
    stream: ['HandoverStarted', 'StreamSwitched', 'HandoverAborted'],
  },
  project(rows, happened): ReadonlyArray<Change> {
    switch (happened.category) {
      case 'server':
        return ofServer(rows, happened.entity, happened.event)
      case 'stream':
        return ofStream(rows, happened.event)
      default:
        return nothing
    }
  },
}

function ofServer(rows: Rows, server: string, event: EventIn<'server'>): ReadonlyArray<Change> {
  const at = event.metadata.occurredAt
  switch (event.type) {
    case 'InstabilityPredicted':
      return [put(predictions, raised(server, event))]
    case 'PredictionCleared':
      return change(rows, event.data.prediction, () => ({ cleared_at: at }))
    case 'PredictionResolved': {
      const { outcome, leadMs } = event.data
      return change(rows, event.data.prediction, () => ({ resolved_at: at, outcome, lead_ms: leadMs }))
    }
    default:
      return nothing
  }
}

function raised(
  server: string,
  event: Extract<EventIn<'server'>, { readonly type: 'InstabilityPredicted' }>,
): Prediction {
  const { score, risk, threshold, horizonMs, timeToLimitMs, model, factors, samples } = event.data
  const top = factors.reduce<Factor | null>(
    (most, each) => (each.contribution > (most?.contribution ?? 0) ? each : most),
    null,
  )
  return {
    ...{
      prediction: event.id,
      server,
      predicted_at: event.metadata.occurredAt,
      score,
      risk,
      threshold,
      model,
      factors,
    },
    horizon_ms: horizonMs,
    time_to_limit_ms: timeToLimitMs,
    top_factor: top?.name ?? null,
    ...{ boot_id: samples.bootId, first_seq: samples.firstSeq, last_seq: samples.lastSeq },
    ...{ cleared_at: null, resolved_at: null, outcome: 'open', lead_ms: null },
    ...{ handovers: 0, switched: 0, aborted: 0, first_switched_at: null, last_switched_at: null },
  }
}

function ofStream(rows: Rows, event: EventIn<'stream'>): ReadonlyArray<Change> {
  switch (event.type) {
    case 'HandoverStarted': {
      const { handover, reference } = event.data
      if (reference === null || rows.get(predictions, reference) === undefined) return nothing
      return [
        put(predictionOfHandover, { handover, prediction: reference }),
        ...change(rows, reference, (before) => ({ handovers: before.handovers + 1 })),
      ]
    }
    case 'StreamSwitched': {
      const at = event.metadata.occurredAt
      return change(rows, predictionBehind(rows, event.data.handover), (before) => ({
        switched: before.switched + 1,
        first_switched_at: before.first_switched_at ?? at,
        last_switched_at: at,
      }))
    }
    case 'HandoverAborted':
      return change(rows, predictionBehind(rows, event.data.handover), (before) => ({ aborted: before.aborted + 1 }))
    default:
      return nothing
  }
}

const predictionBehind = (rows: Rows, handover: string): string | undefined =>
  rows.get(predictionOfHandover, handover)?.prediction

function change(
  rows: Rows,
  prediction: string | undefined,
  changes: (before: Prediction) => Partial<Prediction>,
): ReadonlyArray<Change> {
  const before = prediction === undefined ? undefined : rows.get(predictions, prediction)
  return before === undefined ? nothing : [put(predictions, { ...before, ...changes(before) })]
}
