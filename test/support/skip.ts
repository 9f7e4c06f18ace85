/**
 * `describe`, or its skipped form whose title ends in the reason: `npm test` lists skipped tests with their reasons, so
 * that nobody takes them for passed.
 *
 *     describeUnless(chromiumPath === undefined && 'Chromium is not installed', 'The dashboard', () => { ... })
 */
export function describeUnless(reason: string | false | undefined, name: string, tests: () => void): void {
  if (reason === false || reason === undefined) describe(name, tests)
  else describe.skip(`${name} [skipped: ${reason}]`, tests)
}

/** As {@link describeUnless}, for a single test. */
export function testUnless(
  reason: string | false | undefined,
  name: string,
  body: () => Promise<void>,
  timeoutMs?: number,
): void {
  if (reason === false || reason === undefined) test(name, body, timeoutMs)
  else test.skip(`${name} [skipped: ${reason}]`, body)
}
