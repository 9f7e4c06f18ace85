// What the parts of the stand-in share of the wire.
import { createRequire } from 'node:module'

const requireHere = createRequire(import.meta.url)
/** The very modules that the client has: messages of another copy would not be recognised. */
export const requireOfClient = createRequire(requireHere.resolve('@eventstore/db-client'))
export const grpc = requireOfClient('@grpc/grpc-js')

export const nameOf = (identifier) => Buffer.from(identifier.getStreamName_asU8()).toString('utf8')

/** How EventStoreDB tells one error from another. */
export function trailers(exception, more = {}) {
  const metadata = new grpc.Metadata()
  for (const [key, value] of Object.entries({ exception, ...more })) metadata.set(key, String(value))
  return metadata
}
