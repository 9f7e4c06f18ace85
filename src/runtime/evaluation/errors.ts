/** What is wrong with a data set: what, where, and what to do. */
export interface DataError {
  readonly _tag: 'DataError'
  readonly message: string
}

export const dataError = (message: string): DataError => ({ _tag: 'DataError', message })
