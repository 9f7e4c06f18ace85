/** A fault at work. It goes on until the process dies or `stop` is called; memory that leaked stays leaked. */
export interface InjectedFault {
  readonly stop: () => void
}
