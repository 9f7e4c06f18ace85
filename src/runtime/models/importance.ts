import * as E from 'fp-ts/lib/Either.js'
import { openArtifact } from '../../model/index.js'
import { importancesOf } from '../../model/learners/index.js'
import { ModelUnusable, readModel } from './folder.js'

export type Importance = ReturnType<typeof importancesOf>

/** Share of each feature in what a model of a folder learned, largest first. @throws ModelUnusable */
export async function importanceOf(folder: string, artifact: string): Promise<Importance> {
  const opened = openArtifact(await readModel(folder, artifact))
  if (E.isLeft(opened)) throw new ModelUnusable(`${folder}/${artifact}.bin: ${opened.left.message}`)
  return importancesOf(opened.right.model)
}
