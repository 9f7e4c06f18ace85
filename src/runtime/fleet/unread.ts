import { systemErrorCode } from '../systemError.js'

/** Resolves when the reader of an output has gone away; never where that cannot be noticed. */
export function untilUnread(output: unknown): { readonly unread: Promise<void>; readonly release: () => void } {
  if (!isStream(output)) return { unread: new Promise(() => undefined), release: () => undefined }
  let resolve: () => void = () => undefined
  const unread = new Promise<void>((done) => (resolve = done))
  const onError = (error: Error): void => {
    if (systemErrorCode(error) === 'EPIPE') resolve()
  }
  output.on('error', onError)
  return { unread, release: () => output.off('error', onError) }
}

const isStream = (output: unknown): output is NodeJS.WritableStream =>
  typeof output === 'object' && output !== null && 'on' in output && 'off' in output
