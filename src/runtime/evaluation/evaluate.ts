import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import {
  championName,
  kindOfSeries,
  learners,
  prepare,
  reportOf,
  scoresOf,
  traceOf,
  trainChampion,
  trainOne,
  type Prepared,
  type Report,
  type Series,
  type Stretch,
  type Trained,
} from '../../model/evaluation/index.js'
import { calibrated, importancesOf, type LearnedModel } from '../../model/learners/index.js'
import { areServerMetrics } from '../../model/telemetry/index.js'
import { readDataSets } from './dataSet.js'
import { dataError, type DataError } from './errors.js'

/** The champion without recorded incidents among its features: what measurements alone are worth. */
export const blindName = 'blind'
export const learnerNames: ReadonlyArray<string> = [championName, ...learners.map(({ name }) => name), blindName]

export interface EvaluationOptions {
  readonly data: ReadonlyArray<string>
  /** Absent: train on the first half of every machine of `data`, and test on the second. */
  readonly train?: ReadonlyArray<string>
  readonly learners: ReadonlyArray<string>
  /** Where `<learner>/<machine>.csv` go; absent: nowhere. */
  readonly scores?: string
  /** False alarms a machine-day that the threshold is chosen for. */
  readonly budget: number
  /** The shipped model, for servers whose metrics it knows. */
  readonly prior: () => Promise<E.Either<DataError, LearnedModel>>
  readonly progress?: (line: string) => void
}

export interface LearnerFigures {
  readonly learner: string
  /** One for each family, and one for each kind of telemetry that several families share. */
  readonly families: Readonly<Record<string, Report>>
  readonly models: ReadonlyArray<{
    readonly families: ReadonlyArray<string>
    readonly note: string
    readonly about: string
    readonly threshold: number | null
    readonly importance: ReadonlyArray<{ readonly feature: string; readonly share: number }>
  }>
}

export interface Evaluation {
  readonly mode: 'time-forward' | 'train-and-test'
  readonly budget: number
  readonly learners: ReadonlyArray<LearnerFigures>
}

interface Scored {
  readonly stretch: Stretch
  readonly risk: Float64Array
}

/** Evaluates learners as docs/prediction.md describes. */
export const evaluate = async (options: EvaluationOptions): Promise<E.Either<DataError, Evaluation>> => {
  const tested = await readDataSets(options.data)
  if (E.isLeft(tested)) return tested
  const trained = options.train === undefined ? E.right(null) : await readDataSets(options.train)
  if (E.isLeft(trained)) return trained
  const knowsColumns = tested.right.some(({ columns }) => areServerMetrics(columns))
  const prior = knowsColumns ? await options.prior() : E.right(null)
  if (E.isLeft(prior)) return prior
  const figures: LearnerFigures[] = []
  for (const learner of options.learners) {
    const result = figuresOf(learner, tested.right, trained.right, prior.right, options)
    if (E.isLeft(result)) return result
    figures.push(result.right.figures)
    if (options.scores !== undefined) await writeScores(join(options.scores, learner), result.right.scored)
  }
  return E.right({
    mode: trained.right === null ? 'time-forward' : 'train-and-test',
    budget: options.budget,
    learners: figures,
  })
}

const figuresOf = (
  learner: string,
  tested: ReadonlyArray<Series>,
  trained: ReadonlyArray<Series> | null,
  prior: LearnedModel | null,
  options: EvaluationOptions,
): E.Either<DataError, { readonly figures: LearnerFigures; readonly scored: ReadonlyArray<Scored> }> => {
  const withHistory = learner !== blindName
  const families: Record<string, Report> = {}
  const models: LearnerFigures['models'][number][] = []
  const everything: Scored[] = []
  for (const kind of new Set(tested.map(kindOfSeries))) {
    const own = tested.filter((series) => kindOfSeries(series) === kind)
    const others = trained?.filter((series) => kindOfSeries(series) === kind) ?? null
    const names = [...new Set(own.map(({ family }) => family))]
    options.progress?.(`${learner}: ${names.join(', ')}`)
    if (others?.length === 0) {
      return E.left(dataError(`no training data has the sampling and the columns of ${names.join(', ')}`))
    }
    const test = prepare(own, withHistory)
    const training: ReadonlyArray<Stretch> =
      others === null ? test.map(firstHalf) : prepare(others, withHistory).map(whole)
    const oneClass = problemOf(training, names)
    if (oneClass !== null) return E.left(oneClass)
    const isServer = own.every(({ columns }) => areServerMetrics(columns))
    const { model, note } = train(learner, training, options.budget, isServer ? prior : null)
    const scored = test.map((prepared): Scored => {
      const stretch = others === null ? secondHalf(prepared) : whole(prepared)
      const risk = scoresOf(model.scorer, stretch).map((score) => calibrated(model.calibration, score))
      return { stretch, risk }
    })
    const reportFor = (chosen: ReadonlyArray<Scored>): Report =>
      reportOf(
        chosen.map(({ stretch, risk }) => traceOf(stretch, risk)),
        ({ machine }) => own.find((series) => series.machine === machine)?.family ?? '',
        model.threshold,
        options.budget,
      )
    for (const name of names) families[name] = reportFor(scored.filter(({ stretch }) => stretch.of.family === name))
    if (names.length > 1) families[names.join('+')] = reportFor(scored)
    models.push({
      families: names,
      note,
      about: model.about,
      threshold: model.threshold,
      importance: importancesOf(model).slice(0, 12),
    })
    everything.push(...scored)
  }
  return E.right({ figures: { learner, families, models }, scored: everything })
}

const train = (
  learner: string,
  stretches: ReadonlyArray<Stretch>,
  budget: number,
  prior: LearnedModel | null,
): Trained => {
  const named = learners.find(({ name }) => name === learner)
  return named === undefined ? trainChampion(stretches, budget, prior) : trainOne(named, stretches, budget)
}

const whole = (of: Prepared): Stretch => ({ of, from: 0, to: of.rows })
const firstHalf = (of: Prepared): Stretch => ({ of, from: 0, to: Math.floor(of.rows / 2) })
const secondHalf = (of: Prepared): Stretch => ({ of, from: Math.floor(of.rows / 2), to: of.rows })

const problemOf = (stretches: ReadonlyArray<Stretch>, families: ReadonlyArray<string>): DataError | null => {
  const isThere = stretches.some(({ of, from, to }) => of.incidents.some(({ onset }) => onset > from && onset < to))
  return isThere
    ? null
    : dataError(`${families.join(', ')}: no incident begins in the training part: nothing can be learned`)
}

const writeScores = async (dir: string, scored: ReadonlyArray<Scored>): Promise<void> => {
  await mkdir(dir, { recursive: true })
  for (const { stretch, risk } of scored) {
    const lines = ['row,risk']
    risk.forEach((value, index) => lines.push(`${stretch.from + index},${value.toPrecision(8)}`))
    await writeFile(join(dir, `${stretch.of.machine}.csv`), `${lines.join('\n')}\n`)
  }
}
