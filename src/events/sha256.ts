import crypto from 'node:crypto'

/** SHA-256 of texts (UTF-8) and bytes, one after the other. */
export const sha256 = (...parts: ReadonlyArray<string | Uint8Array>): Buffer => {
  const hash = crypto.createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

/** SHA-256 of one text or one piece of memory, in hexadecimal, as bytes, or as a text of a character for each byte. */
interface Digest {
  (input: string | Uint8Array, form: 'hex' | 'binary'): string
  (input: string | Uint8Array, form: 'buffer'): Buffer
}

// The one-shot hash is twice as fast for what is as short as events are; Node has it since 20.12. As a text it is made
// without memory outside of the heap, which is half of the rest.
export const digest: Digest =
  typeof crypto.hash === 'function'
    ? (((input: string | Uint8Array, form: 'hex') => crypto.hash('sha256', input, form)) as Digest)
    : (((input: string | Uint8Array, form: 'hex' | 'binary' | 'buffer') =>
        form === 'buffer' ? sha256(input) : sha256(input).toString(form)) as Digest)
