import { anyTable, nothing, put, type Change, type Projection } from './projection.js'
import { integer, internalTable, json, optional, table, text, time, type RowIn } from './table.js'

export const models = table('models', 'Every model that judged servers.', ['model'], {
  model: text('name of the model'),
  weights: optional(json<Readonly<Record<string, number>>>('weight of each metric group, where it was activated')),
  activations: integer('times that a server was given it'),
  first_activated_at: optional(time('when the first server was given it')),
  last_activated_at: optional(time('when the last server was given it')),
  predictions: integer('alarms that it raised'),
  first_predicted_at: optional(time('when it raised its first alarm')),
  confirmed: integer('of these: confirmed by a failure'),
  unconfirmed: integer('of these: confirmed by nothing'),
})

const judges = internalTable('models_predictions', 'Which model raised an alarm.', ['prediction'], {
  prediction: text('prediction'),
  model: text('model'),
})

type Model = RowIn<typeof models>

const unknown: Omit<Model, 'model'> = {
  weights: null,
  activations: 0,
  first_activated_at: null,
  last_activated_at: null,
  predictions: 0,
  first_predicted_at: null,
  confirmed: 0,
  unconfirmed: 0,
}

/** Models, and how right they were. */
export const modelsProjection: Projection = {
  name: 'models',
  version: 1,
  tables: [anyTable(models), anyTable(judges)],
  interests: { server: ['ModelActivated', 'InstabilityPredicted', 'PredictionResolved'] },
  project(rows, { category, event }): ReadonlyArray<Change> {
    if (category !== 'server') return nothing
    const at = event.metadata.occurredAt
    const known = (model: string): Model => rows.get(models, model) ?? { model, ...unknown }
    switch (event.type) {
      case 'ModelActivated': {
        const { model, weights } = event.data
        const before = known(model)
        const first_activated_at = before.first_activated_at ?? at
        const activations = before.activations + 1
        return [put(models, { ...before, weights, activations, first_activated_at, last_activated_at: at })]
      }
      case 'InstabilityPredicted': {
        const before = known(event.data.model)
        const first_predicted_at = before.first_predicted_at ?? at
        return [
          put(models, { ...before, predictions: before.predictions + 1, first_predicted_at }),
          put(judges, { prediction: event.id, model: event.data.model }),
        ]
      }
      case 'PredictionResolved': {
        const { prediction, outcome } = event.data
        const judge = rows.get(judges, prediction)
        if (judge === undefined) return nothing
        const before = known(judge.model)
        return [put(models, { ...before, [outcome]: before[outcome] + 1 })]
      }
      default:
        return nothing
    }
  },
}
