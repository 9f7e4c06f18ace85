import type { KeyObject } from 'node:crypto'
import * as E from 'fp-ts/lib/Either.js'
import { canonicalJson, describeErrors } from '../../events/index.js'
import {
  chainLink,
  eventHash,
  isIncluded,
  isSameKey,
  isSignedBy,
  isVouchedFor,
  keyIdOf,
  leafHash,
  leafText,
  readPublicKey,
  readStatement,
  type CheckpointStatement,
} from '../../events/integrity/index.js'
import { missingIn } from './completeness.js'
import { embeddedIn, renderDossier } from './html.js'
import { DossierFile, dossierVersion, type DossierProof, type StreamPart } from './records.js'
import { viewOf, type DossierView } from './view.js'

export interface DossierVerdict {
  readonly sound: boolean
  readonly handover: string
  readonly key: string | null
  /** Of the checkpoint that proves it; Unix milliseconds. */
  readonly checkpointAt: number | null
  readonly events: number
  readonly view: DossierView | null
  readonly problems: ReadonlyArray<string>
}

/**
 * Checks a dossier, JSON or HTML, with public keys alone: the signature, the way of each event to the signed root, that
 * nothing is left out without which they would tell something else, that everything told follows from the proven events,
 * and that the page is the one that these data give.
 */
export function verifyDossier(text: string, trusted: ReadonlyArray<KeyObject>): DossierVerdict {
  const isPage = !text.trimStart().startsWith('{')
  const json = isPage ? embeddedIn(text) : text
  const file = json === null ? null : parsed(json)
  if (file === null) return unsound(['the file is no dossier of Segue, or its data were cut off'])
  const decoded = DossierFile.decode(file)
  if (E.isLeft(decoded)) return unsound([`the file is no dossier: ${describeErrors(decoded.left)}`])
  const { proof, view, version } = decoded.right
  if (version > dossierVersion)
    return unsound([`the file was written by a newer version of Segue (${version}); update segue`])
  const problems: string[] = []
  const statement = checkSignature(proof, trusted, problems)
  if (statement !== null) for (const part of proof.parts) checkPart(part, statement, problems)
  // Nothing can be told by events that are not proven.
  const derived = problems.length === 0 ? viewOf(proof) : null
  if (derived === null) return { ...verdictOf(proof, statement), sound: false, view: null, problems }
  problems.push(...missingIn(proof, derived))
  if (version === dossierVersion) {
    if (canonicalJson(view) !== canonicalJson(derived))
      problems.push('what the file tells does not follow from the events that it proves')
    if (canonicalJson(file) !== canonicalJson(decoded.right))
      problems.push('the file holds something besides what belongs into a dossier')
    if (isPage && problems.length === 0 && renderDossier(decoded.right) !== text) {
      problems.push('the page shows something else than its data: it was changed')
    }
  } else
    problems.push(
      `the file has form ${version}, the page and its text can only be compared by the version that wrote it; make it again from the log`,
    )
  return { ...verdictOf(proof, statement), sound: problems.length === 0, view: derived, problems }
}

const verdictOf = (proof: DossierProof, statement: CheckpointStatement | null) => ({
  handover: proof.handover,
  key: statement?.key ?? null,
  checkpointAt: statement?.at ?? null,
  events: proof.parts.reduce((sum, { events }) => sum + events.length, 0),
})

const unsound = (problems: ReadonlyArray<string>): DossierVerdict => ({
  ...{ sound: false, handover: '', key: null, checkpointAt: null, events: 0, view: null, problems },
})

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function checkSignature(
  { checkpoint, key }: DossierProof,
  trusted: ReadonlyArray<KeyObject>,
  problems: string[],
): CheckpointStatement | null {
  const publicKey = readPublicKey(key.publicKey)
  const statement = readStatement(checkpoint.statement)
  if (E.isLeft(publicKey)) problems.push(`the key in the file cannot be used: ${publicKey.left}`)
  if (E.isLeft(statement)) problems.push(`the checkpoint ${statement.left}`)
  if (E.isLeft(publicKey) || E.isLeft(statement)) return null
  if (statement.right.type !== 'segue-checkpoint/1') {
    problems.push('the signed statement is no checkpoint')
    return null
  }
  const id = keyIdOf(publicKey.right)
  if (statement.right.key !== id) problems.push(`the checkpoint names key ${statement.right.key}, the file holds ${id}`)
  const isKnown = trusted.some((each) => isSameKey(each, publicKey.right))
  if (!isKnown && !isVouchedFor(key, trusted)) {
    problems.push(`key ${id} is not trusted here (trusted: ${trusted.map(keyIdOf).join(', ') || 'none; give --key'})`)
  }
  if (!isSignedBy(checkpoint, publicKey.right)) problems.push('the signature of the checkpoint is wrong')
  return statement.right
}

function checkPart(part: StreamPart, { root, streams }: CheckpointStatement, problems: string[]): void {
  const { stream, events, after, leaf, path } = part
  let chain: Buffer = Buffer.from(part.before, 'hex')
  let next = events[0]?.revision ?? 0
  for (const event of events) {
    if (event.revision !== next) problems.push(`${stream}: event ${next} is missing`)
    chain = chainLink(chain, eventHash({ ...event, streamId: stream }))
    next += 1
  }
  for (const hash of after) {
    chain = chainLink(chain, Buffer.from(hash, 'hex'))
    next += 1
  }
  const hash = leafHash(leafText(stream, next - 1, chain.toString('hex')))
  const way = path.map((each) => Buffer.from(each, 'hex'))
  if (!isIncluded(hash, leaf, streams, way, Buffer.from(root, 'hex'))) {
    problems.push(`${stream}: its events do not lead to the signed root; one of them, or their order, was changed`)
  }
}
