import * as E from 'fp-ts/lib/Either.js'
import type { KnownModel } from '../../actors/index.js'

/** No model is meant by a text, or several are; the message says which there are. */
export interface ModelNotFound {
  readonly _tag: 'ModelNotFound'
  readonly message: string
}

const hashDigitsShown = 8
const hashDigitsMin = 4

/** The beginning of a hash by which people tell models apart. */
export const shortHash = (artifact: string): string => artifact.slice(0, hashDigitsShown)

/** The model that is meant by a name, or by the first digits of its SHA-256 (four at least). */
export function findModel(known: ReadonlyArray<KnownModel>, text: string): E.Either<ModelNotFound, KnownModel> {
  const isHash = text.length >= hashDigitsMin && /^[0-9a-f]+$/.test(text)
  const found = known.filter(({ model, artifact }) => model === text || (isHash && artifact.startsWith(text)))
  const [only, second] = found
  if (only !== undefined && second === undefined) return E.right(only)
  const list = (models: ReadonlyArray<KnownModel>): string =>
    models.map(({ model, artifact }) => `${model} (${shortHash(artifact)})`).join(', ')
  const message =
    only === undefined
      ? `there is no model "${text}": ${known.length === 0 ? 'none was recorded yet' : `known are ${list(known)}`}`
      : `"${text}" may be ${list(found)}: give more digits of the SHA-256`
  return E.left({ _tag: 'ModelNotFound', message })
}
