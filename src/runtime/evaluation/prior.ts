import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import * as E from 'fp-ts/lib/Either.js'
import { decodeModel, type LearnedModel } from '../../model/learners/index.js'
import { dataError, type DataError } from './errors.js'

/** Where the shipped model is, in a checkout and in a published package alike. */
export const priorPath = fileURLToPath(new URL('../../../models/prior.bin', import.meta.url))

/** Reads the shipped model, which knows a media server's metrics from simulated faults. */
export const readPrior = async (path = priorPath): Promise<E.Either<DataError, LearnedModel>> => {
  let bytes: Uint8Array
  try {
    bytes = await readFile(path)
  } catch {
    return E.left(dataError(`${path}: the shipped model is missing; \`npm run model:build\` makes it`))
  }
  const decoded = decodeModel(bytes)
  return E.isLeft(decoded) ? E.left(dataError(`${path}: ${decoded.left.message}`)) : decoded
}
