import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import type { StoreConnection } from '../../events/stores/index.js'
import { artifactOf, shelve, type ShelvedModel } from '../../model/index.js'
import { priorPath } from '../evaluation/prior.js'
import { errorMessage } from '../systemError.js'

/** A model's file cannot be used; the message says which, and what to do. */
export class ModelUnusable extends Error {
  readonly _tag = 'ModelUnusable'
}

/** Where the models of a log are: beside it. */
export const modelsIn = (dataDir: string): string => join(dataDir, 'models')

/** The models beside a log in a file; null for logs that are elsewhere. */
export const modelsBeside = (connection: StoreConnection): string | null =>
  connection.type === 'sqlite' ? modelsIn(dirname(connection.path)) : null

const fileOf = (folder: string, artifact: string): string => join(folder, `${artifact}.bin`)

/**
 * Puts the shipped model and those of a folder where deciders find them. Files are named by the SHA-256 of their bytes; one
 * that does not hold what its name says is an error, because decisions rest on it. A folder that is not there is empty.
 * @throws ModelUnusable
 */
export async function shelveModels(folder: string | null): Promise<{ readonly shipped: ShelvedModel }> {
  const shipped = put(priorPath, await readShipped())
  const names = folder === null ? [] : await readdir(folder).catch(() => [])
  for (const name of names) {
    const [, artifact] = /^([0-9a-f]{64})\.bin$/.exec(name) ?? []
    if (folder !== null && artifact !== undefined) await shelveModel(folder, artifact)
  }
  return { shipped }
}

/** Puts one model of a folder where deciders find it. @throws ModelUnusable */
export async function shelveModel(folder: string, artifact: string): Promise<ShelvedModel> {
  return put(fileOf(folder, artifact), await readModel(folder, artifact))
}

/** The bytes of a model of a folder, which are those that its name says. @throws ModelUnusable */
export async function readModel(folder: string, artifact: string): Promise<Uint8Array> {
  const path = fileOf(folder, artifact)
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new ModelUnusable(`${path}: the model cannot be read (${errorMessage(cause)}); put its file there`, { cause })
  })
  if (artifactOf(bytes) !== artifact) {
    throw new ModelUnusable(`${path}: its bytes are not those that its name says; put the original back`)
  }
  return bytes
}

/** The bytes of the model that this program ships. @throws ModelUnusable */
export async function readShipped(): Promise<Uint8Array> {
  try {
    return await readFile(priorPath)
  } catch (cause) {
    throw new ModelUnusable(`${priorPath}: the shipped model is missing; \`npm run model:build\` makes it`, { cause })
  }
}

function put(path: string, bytes: Uint8Array): ShelvedModel {
  const shelved = shelve(bytes)
  if (E.isLeft(shelved)) throw new ModelUnusable(`${path}: ${shelved.left.message}`)
  return shelved.right
}

/** Keeps a model beside the log, so that what it decides can be derived again. @throws ModelUnusable */
export async function keepModel(folder: string, bytes: Uint8Array): Promise<ShelvedModel> {
  const shelved = put('the model', bytes)
  const path = fileOf(folder, shelved.artifact)
  await mkdir(folder, { recursive: true })
  // Whoever reads the folder meanwhile must not find half a file.
  const draft = `${path}.${process.pid}.tmp`
  await writeFile(draft, bytes)
  await rename(draft, path)
  return shelved
}

/** Keeps the shipped model beside the log: a later version of the program ships another one. */
export async function keepShippedModel(folder: string): Promise<ShelvedModel> {
  const bytes = await readShipped()
  const artifact = artifactOf(bytes)
  const kept = await readFile(fileOf(folder, artifact)).catch(() => null)
  return kept !== null && artifactOf(kept) === artifact ? put(priorPath, bytes) : keepModel(folder, bytes)
}
