import {
  commonNames,
  emptyFleet,
  fleetReportOf,
  metricsNamed,
  newObserver,
  noHistory,
  observe,
  withIncident,
  writeVector,
  type FleetReport,
  type History,
  type ServerReport,
} from '../../../src/model/telemetry/index.js'
import { summaryOf } from '../../../src/model/telemetry/history.js'

const minute = 60_000
const day = 1_440 * minute
const horizonMs = 30 * minute

const historyOf = (...onsets: ReadonlyArray<number>): History => onsets.reduce(withIncident, noHistory)
const reportOf = (history: History, at: number, trouble = 0): ServerReport => ({
  trouble,
  surge: 0,
  history: summaryOf(history, at, horizonMs),
})
const featureOf = (name: string, report: ServerReport, fleet: FleetReport): number => {
  const observer = newObserver(metricsNamed(['x']), horizonMs, false)
  observe(observer, 0, [1])
  const vector = new Float64Array(commonNames.length)
  writeVector(observer, report, fleet, vector)
  return vector[commonNames.indexOf(name)] ?? Number.NaN
}

describe('incidents of a server', () => {
  it('count once, however often and in whatever order they are told', () => {
    expect(historyOf(3, 1, 2, 1)).toEqual({ onsets: [1, 2, 3] })
    expect(withIncident(noHistory, Number.NaN)).toEqual(noHistory)
  })

  it('fade, and are expected again at the same time of the next days', () => {
    const history = historyOf(0)
    const at = (ms: number) => summaryOf(history, ms, horizonMs)
    expect(at(horizonMs).justNow).toBeCloseTo(Math.exp(-1), 9)
    expect(at(horizonMs).since).toBe(1)
    expect(at(day - 31 * minute).sameTimeOfDay).toBe(0)
    expect(at(day - 10 * minute).sameTimeOfDay).toBe(1)
    expect(at(2 * day - 10 * minute).sameTimeOfDay).toBeCloseTo(0.8, 9)
    expect(at(9 * day).sameTimeOfDay).toBe(0)
  })
})

describe('a fleet', () => {
  it('tells each server about the others, not about itself', () => {
    const at = 10 * minute
    const failed = reportOf(historyOf(0), at, 6)
    const well = reportOf(noHistory, at)
    const fleet = fleetReportOf([failed, well, well])
    expect(featureOf('fleet.incidentsJustNow', failed, fleet)).toBeCloseTo(0, 12)
    expect(featureOf('fleet.incidentsJustNow', well, fleet)).toBeCloseTo(Math.exp(-1 / 3), 9)
    expect(featureOf('fleet.sinceIncident', well, fleet)).toBeCloseTo(1 / 3, 9)
    expect(featureOf('fleet.sinceIncident', failed, fleet)).toBe(1_000)
    expect(featureOf('fleet.trouble', well, fleet)).toBe(3)
    expect(featureOf('fleet.troubled', well, fleet)).toBe(0.5)
  })

  it('says nothing when there is no other server', () => {
    const alone = reportOf(historyOf(0), minute, 5)
    expect(featureOf('fleet.incidentsJustNow', alone, emptyFleet)).toBe(0)
    expect(featureOf('fleet.trouble', alone, fleetReportOf([alone]))).toBe(0)
  })
})
