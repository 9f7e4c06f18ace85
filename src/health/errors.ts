/** Health measurement was asked for something impossible; the message names the value and the legal range. */
export class HealthOptionsError extends Error {
  readonly _tag = 'HealthOptionsError'
  override readonly name = 'HealthOptionsError'
}
