import type { ModelStatus } from '../../control/status.js'
import { cell, span, type Line } from './text.js'

const hashDigits = 8
const nameWidth = 8

/** The model in force by its short name, and the weights of the score by size. */
export function modelLines(model: ModelStatus | null): ReadonlyArray<Line> {
  if (model === null) return []
  const weights = Object.entries(model.weights)
    .filter(([, weight]) => weight >= 0.005)
    .sort((a, b) => b[1] - a[1])
    .map(([name, weight]) => `${name} ${weight.toFixed(2).replace(/^0/, '')}`)
  return [
    [
      span(` ${cell('MODEL', nameWidth)}`, 'dim'),
      span(model.model),
      span(` ${model.artifact.slice(0, hashDigits)}`, 'dim'),
      span(`   weights ${weights.join('  ')}`, 'dim'),
    ],
  ]
}
