import { createHash } from 'node:crypto'
import * as E from 'fp-ts/lib/Either.js'
import { decodeModel, type ArtifactError } from '../learners/artifact.js'
import type { LearnedModel } from '../learners/learnedModel.js'
import { serverMetrics } from '../telemetry/metrics.js'
import { featureNamesFor } from '../telemetry/vector.js'

/** The log names a model whose artifact is not here. */
export class ModelMissing extends Error {
  readonly _tag = 'ModelMissing'
  constructor(readonly artifact: string) {
    super(
      `the log was assessed by the model with SHA-256 ${artifact}, which is not here: put its file, ${artifact}.bin, ` +
        'into the folder "models" beside the log',
    )
  }
}

export type ShelfError = ArtifactError | { readonly _tag: 'OtherFeatures'; readonly message: string }

/** A model under the name of its bytes. */
export interface ShelvedModel {
  readonly artifact: string
  readonly model: LearnedModel
}

/** Features of a media server, in the order in which they are computed here. */
export const serverFeatures = featureNamesFor(serverMetrics, true)

// A model is looked up by the hash of its bytes, so whoever asks gets the same one whenever it was put here: deciders
// that look here stay pure. What is missing is an error and never another answer.
const shelf = new Map<string, LearnedModel>()

export const artifactOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** Reads an artifact without keeping it: damaged ones, other versions and models of other features are told apart. */
export function openArtifact(bytes: Uint8Array): E.Either<ShelfError, ShelvedModel> {
  const model = decodeModel(bytes)
  if (E.isLeft(model)) return model
  const strange = model.right.features.find((feature, column) => serverFeatures[column] !== feature)
  if (strange !== undefined || model.right.features.length !== serverFeatures.length) {
    const what = strange === undefined ? `${model.right.features.length} features` : `the feature ${strange}`
    const message = `the model looks at ${what}, which is not what this build computes of a media server: train it again`
    return E.left({ _tag: 'OtherFeatures', message })
  }
  return E.right({ artifact: artifactOf(bytes), model: model.right })
}

/** Puts a model where deciders find it by its hash. */
export function shelve(bytes: Uint8Array): E.Either<ShelfError, ShelvedModel> {
  const opened = openArtifact(bytes)
  if (E.isRight(opened)) shelf.set(opened.right.artifact, opened.right.model)
  return opened
}

/** @throws ModelMissing */
export function modelOf(artifact: string): LearnedModel {
  const model = shelf.get(artifact)
  if (model === undefined) throw new ModelMissing(artifact)
  return model
}
