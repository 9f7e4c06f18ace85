/**
 * @typedef {object} Skipped
 * @property {string} name
 * @property {string | undefined} reason
 *
 * @typedef {object} Result
 * @property {string} name
 * @property {number} passed
 * @property {number} failed
 * @property {readonly Skipped[]} skipped
 * @property {number} seconds
 */

const total = (results, count) => results.reduce((sum, result) => sum + count(result), 0)

/** @param {readonly Result[]} results */
export function formatTotals(results) {
  const skipped = total(results, (result) => result.skipped.length)
  const passed = total(results, (result) => result.passed)
  const failed = total(results, (result) => result.failed)
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
}

/** Tests say why they are skipped at the end of their title (see test/support/skip.ts). */
const REASON = /\[skipped: ([^\]]+)\]/

/** @returns {Skipped} */
export function skippedTest({ fullName, status }) {
  const reason = REASON.exec(fullName)?.[1]
  return {
    name: fullName.replace(REASON, '').replace(/\s+/g, ' ').trim(),
    reason: reason ?? (status === 'todo' ? 'to do' : undefined),
  }
}

/** @param {readonly Result[]} results */
export function describeSkipped(results) {
  const skipped = results.flatMap((result) => result.skipped)
  if (skipped.length === 0) return []
  return [
    `${skipped.length} SKIPPED, so nothing is known about:`,
    ...skipped.map(({ name, reason }) => `  - ${name}: ${reason ?? 'NO REASON GIVEN'}`),
    '',
  ]
}
