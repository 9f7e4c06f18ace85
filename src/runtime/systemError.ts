// Errors of Node's own modules are recognised by their shape: `instanceof Error` fails for those that come from another
// realm, which is where test runners and vm contexts have them come from.

/** The system's code of an error, such as ENOENT or EADDRINUSE, if it has one. */
export const systemErrorCode = (error: unknown): string | undefined =>
  typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined

/** What an error of unknown kind says. */
export const errorMessage = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : String(error)
