/** A plan, time or calendar file that cannot be used; the message says what is wrong with it and what to give. */
export class CalendarError extends Error {
  readonly _tag = 'CalendarError'
  override readonly name = 'CalendarError'
}
