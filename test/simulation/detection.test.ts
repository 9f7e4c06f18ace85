import type { RecordedEvent } from '../../src/events/index.js'
import type { Checker } from '../../src/simulation/checkers/checker.js'
import { checkDetection } from '../../src/simulation/checkers/detection.js'

type Happening = readonly [number, (checker: Checker) => void]

const told =
  (type: string) =>
  (checker: Checker): void =>
    checker.appended?.('server-s1', [{ type, data: {} } as unknown as RecordedEvent])

/** What is found wrong when this happens at these moments. */
function found(...history: ReadonlyArray<Happening>): ReadonlyArray<string> {
  const violations: string[] = []
  let nowMs = 0
  const checker = checkDetection({
    nowMs: () => nowMs,
    violated: (_invariant, message) => violations.push(message),
    idleMs: () => 0,
    graceMs: 1_000,
  })
  told('ServerJoined')(checker)
  for (const [atMs, happens] of history) {
    nowMs = atMs
    happens(checker)
  }
  return violations
}

describe('a server', () => {
  const ends = (how: 'crashed' | 'hung'): Happening => [1_000, (checker) => checker[how]?.('s1')]
  const returns = (atMs: number): Happening => [atMs, (checker) => checker.awoke?.('s1', 1_000)]

  it.each(['crashed', 'hung'] as const)('that %s must be told to have failed', (how) => {
    expect(found(ends(how), returns(9_000))).toEqual(['s1 was away for 8000 ms, and nobody said so'])
    expect(found(ends(how), [1_600, told('ServerFailed')], returns(9_000))).toEqual([])
  })

  it('that hangs for a moment need not be', () => {
    expect(found(ends('hung'), returns(2_900))).toEqual([])
  })
})
