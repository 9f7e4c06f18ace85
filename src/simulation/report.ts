import { invariants } from './checkers/checker.js'
import { steps, type Coverage } from './coverage.js'
import type { Violation } from './run.js'
import type { Episode, Scenario } from './scenario.js'

/** A violation in lines for people: how to see it again, what is left of the world, and its last moments. */
export function violationLines(violation: Violation): ReadonlyArray<string> {
  const { seed, world, invariant, message, atMs, scenario, trace } = violation
  return [
    `violated: ${invariant} (${invariants[invariant]})`,
    `  ${message}`,
    `  seed ${seed}, world ${world}, ${(atMs / 1_000).toFixed(3)} s after its beginning; again with --seed ${seed} --world ${world}`,
    '  it still happens with this alone:',
    ...scenarioLines(scenario).map((line) => `    ${line}`),
    '  what happens then:',
    ...trace.map((line) => `    ${line}`),
  ]
}

/** A table of how often each fault befell each step of a handover. */
export function coverageLines(coverage: Coverage): ReadonlyArray<string> {
  const rows = Object.entries(coverage).map(([name, row]) => [name, ...steps.map((step) => String(row[step]))])
  const table = [['fault', ...steps], ...rows]
  const widths = ['fault', ...steps].map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)))
  return table.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  '),
  )
}

function scenarioLines(scenario: Scenario): ReadonlyArray<string> {
  const { servers, streams, standby, viewers, episodes, weather, skews, model, snapshots } = scenario
  const kept = [...(model ? ['the learned model'] : []), ...(snapshots ? ['snapshots'] : [])]
  return [
    `${servers} servers, streams ${streams.join(', ')}, standby ${standby}, ${viewers} viewer(s)${kept.map((each) => `, ${each}`).join('')}`,
    `network ${JSON.stringify(weather)}, clocks ${JSON.stringify(skews)}`,
    ...episodes.flatMap(episodeLines),
  ]
}

const episodeLines = ({ stream, cause, afterMs, gapMs, faults }: Episode): ReadonlyArray<string> => [
  `${stream}: ${cause} (${afterMs} ms) after ${gapMs} ms`,
  ...faults.map(({ kind, on, delayMs, target, durationMs, append }) => {
    const how = append === null ? '' : ` (${append})`
    return `  ${kind}${how} of ${target}, ${delayMs} ms after ${on}, for ${durationMs} ms`
  }),
]
