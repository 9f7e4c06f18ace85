import { createHash } from 'node:crypto'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import type { LearnedModel } from './learnedModel.js'
import { unpackModel, type ArrayEntry, type NumberKind, type Numbers } from './packed.js'
import type { Scorer } from './scorer.js'

/** What is wrong with an artifact. */
export type ArtifactError =
  | { readonly _tag: 'NotAnArtifact'; readonly message: string }
  | { readonly _tag: 'OtherVersion'; readonly version: number; readonly message: string }
  | { readonly _tag: 'Damaged'; readonly message: string }

export const artifactVersion = 1
const magic = 0x4d_47_45_53 // "SEGM", little endian
const headBytes = 16
const hashBytes = 32

const kindOf = (array: Numbers): NumberKind =>
  array instanceof Float64Array
    ? 'f64'
    : array instanceof Float32Array
      ? 'f32'
      : array instanceof Int32Array
        ? 'i32'
        : array instanceof Uint32Array
          ? 'u32'
          : 'i16'

/**
 * A model as bytes: magic, version, length of the header, header (JSON: everything but the arrays, which it names by
 * offset), arrays (little endian, each on a multiple of 8), SHA-256 of all before it. The same model gives the same
 * bytes.
 */
export const encodeModel = (model: LearnedModel): Uint8Array => {
  const arrays: Numbers[] = []
  let offset = 0
  const entry = (array: Numbers): ArrayEntry => {
    const at = offset
    arrays.push(array)
    offset += Math.ceil(array.byteLength / 8) * 8
    return { kind: kindOf(array), offset: at, length: array.length }
  }
  const pack = (scorer: Scorer): unknown => {
    if (scorer.kind === 'blend') {
      return { kind: 'blend', parts: scorer.parts.map((part) => ({ weight: part.weight, scorer: pack(part.scorer) })) }
    }
    if (scorer.kind === 'residual') return { ...scorer, columns: entry(scorer.columns), weights: entry(scorer.weights) }
    const { roots, feature, threshold, child, value } = scorer.trees
    return {
      kind: scorer.kind,
      bias: scorer.bias,
      columns: entry(scorer.columns),
      importance: entry(scorer.importance),
      trees: [roots, feature, threshold, child, value].map(entry),
    }
  }
  const header = new TextEncoder().encode(JSON.stringify({ ...model, scorer: pack(model.scorer) }))
  const bodyAt = Math.ceil((headBytes + header.length) / 8) * 8
  const bytes = new Uint8Array(bodyAt + offset + hashBytes)
  const head = new DataView(bytes.buffer)
  head.setUint32(0, magic, true)
  head.setUint32(4, artifactVersion, true)
  head.setUint32(8, header.length, true)
  head.setUint32(12, offset, true)
  bytes.set(header, headBytes)
  let at = bodyAt
  for (const array of arrays) {
    bytes.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), at)
    at += Math.ceil(array.byteLength / 8) * 8
  }
  bytes.set(createHash('sha256').update(bytes.subarray(0, at)).digest(), at)
  return bytes
}

const damaged = (message: string): E.Either<ArtifactError, never> => E.left({ _tag: 'Damaged', message })

/**
 * Reads a model back. Bytes of something else, of another version, or that changed are told apart; so are those that were
 * sealed with something wrong in them. Whatever is read can judge.
 */
export const decodeModel = (bytes: Uint8Array): E.Either<ArtifactError, LearnedModel> => {
  const head = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < headBytes + hashBytes || head.getUint32(0, true) !== magic) {
    return E.left({ _tag: 'NotAnArtifact', message: 'this is no model of Segue: it does not begin with "SEGM"' })
  }
  const version = head.getUint32(4, true)
  if (version !== artifactVersion) {
    const message = `the model has format ${version}, this build reads format ${artifactVersion}: train it again`
    return E.left({ _tag: 'OtherVersion', version, message })
  }
  const headerLength = head.getUint32(8, true)
  const bodyAt = Math.ceil((headBytes + headerLength) / 8) * 8
  const end = bodyAt + head.getUint32(12, true)
  if (bytes.length !== end + hashBytes) {
    return damaged(`the model has ${bytes.length} bytes where ${end + hashBytes} belong: it was cut or written to`)
  }
  const digest = createHash('sha256').update(bytes.subarray(0, end)).digest()
  if (!digest.equals(bytes.subarray(end))) return damaged('the checksum of the model is wrong: its bytes were changed')
  return pipe(
    jsonIn(bytes.subarray(headBytes, headBytes + headerLength)),
    E.chain((header) => unpackModel(header, bytes.subarray(bodyAt, end))),
    E.mapLeft((fault) => ({
      _tag: 'Damaged',
      message: `the model is damaged, though its checksum is right: ${fault}`,
    })),
  )
}

const jsonIn = (bytes: Uint8Array): E.Either<string, unknown> =>
  E.tryCatch(
    () => JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown,
    (error) => `its header is no JSON (${error instanceof Error ? error.message : String(error)})`,
  )
