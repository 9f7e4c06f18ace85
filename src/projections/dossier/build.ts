import type { EventStore, RecordedEvent } from '../../events/index.js'
import { streamIdOf, type EventIn } from '../../events/index.js'
import {
  chainLink,
  chainStart,
  cutOf,
  eventHash,
  Heads,
  leafHash,
  leafText,
  keyIdOf,
  LedgerCheckpointed,
  LedgerCut,
  ledgerStream,
  MerkleTree,
  readPublicKey,
  withLineage,
  type LedgerKey,
  type Signed,
} from '../../events/integrity/index.js'
import * as E from 'fp-ts/lib/Either.js'
import { dossierVersion, entityOf, type DossierFile, type DossierProof, type StreamPart } from './records.js'
import { viewOf } from './view.js'
import { isDamaged } from './viewers.js'

/** The dossier asked for cannot be made; the message says why and what to do. */
export class DossierUnavailable extends Error {
  readonly _tag = 'DossierUnavailable'
}

type Source = Pick<EventStore, 'readAll' | 'readStream' | 'cuts'>

/** What happened to the server is shown from this long before the request on. */
const leadMs = 120_000
/** Streams with more events than this are shown from shortly before the handover on, and cannot be replayed from the file. */
const wholeStreamMax = 1_500
const contextEvents = 40
const viewersMax = 200

interface Range {
  readonly stream: string
  readonly first: number
  readonly last: number
  /** Whatever else is under the checkpoint belongs to it, too. */
  readonly isOpen?: boolean
}

/**
 * Collects what an auditor needs of one handover, and proves it by the first signed checkpoint that covers it.
 * @throws DossierUnavailable
 */
export async function buildDossier(source: Source, handover: string): Promise<DossierFile> {
  const entity = entityOf(handover)
  const main = await mainRange(source, streamIdOf('stream', entity), handover)
  const ranges = [main.range, ...(await serverRanges(source, main)), ...(await viewerRanges(source, entity, main))]
  const ledger = await coveringCheckpoint(source, ranges)
  const parts: StreamPart[] = []
  for (const range of ranges) parts.push(await partOf(source, range, ledger))
  const proof: DossierProof = { handover, checkpoint: ledger.signed, key: ledger.key, parts }
  return { format: 'segue-dossier', version: dossierVersion, view: viewOf(proof), proof }
}

interface Main {
  readonly range: Range
  readonly from: string
  readonly to: string
  readonly requestedAt: number
  readonly endedAt: number
  readonly epoch: number | null
}

async function mainRange(source: Source, stream: string, handover: string): Promise<Main> {
  let started: Extract<EventIn<'stream'>, { readonly type: 'HandoverStarted' }> | null = null
  let [first, last, endedAt] = [0, -1, 0]
  let isOpen = true
  let to = ''
  let epoch: number | null = null
  const known: string[] = []
  for await (const recorded of source.readStream(stream)) {
    const event = recorded as unknown as EventIn<'stream'>
    if (!isOpen) {
      // The fact that ended the handover can only be derived again with all that was decided by it.
      if (event.metadata.kind === 'fact') break
      last = recorded.revision
      continue
    }
    if (event.type === 'HandoverStarted') known.push(event.data.handover)
    if (event.type === 'HandoverStarted' && event.data.handover === handover) {
      started = event
      first = recorded.revision
      to = event.data.to.id
    }
    if (started === null || event.metadata.correlationId !== handover) continue
    last = recorded.revision
    endedAt = event.metadata.occurredAt
    if (event.type === 'StandbyActivationOrdered') to = event.data.server.id
    if (event.type === 'CutoverChosen') epoch = event.data.epoch
    isOpen = event.type !== 'HandoverCompleted' && event.type !== 'HandoverAborted'
  }
  if (started === null) {
    const hint =
      known.length === 0
        ? 'the log holds none of that stream'
        : `of that stream there are ${known.slice(-8).join(', ')}`
    throw new DossierUnavailable(`there is no handover ${handover} in the log; ${hint}`)
  }
  const from = last < wholeStreamMax ? 0 : Math.max(0, first - contextEvents)
  const { requestedAt } = started.data
  return { range: { stream, first: from, last, isOpen }, from: started.data.from.id, to, requestedAt, endedAt, epoch }
}

async function serverRanges(source: Source, { from, to, requestedAt, endedAt }: Main): Promise<ReadonlyArray<Range>> {
  const ranges: Range[] = []
  for (const server of new Set([from, to])) {
    const stream = streamIdOf('server', server)
    let [first, last, earlier] = [-1, -1, -1]
    for await (const event of source.readStream(stream)) {
      const at = event.metadata.occurredAt
      if (first === -1 && at > requestedAt - leadMs && (await source.cuts()).get(stream)?.revision === event.revision) {
        const reason = `what ${server} reported before the handover is archived: give the folder of the archives with --archive`
        throw new DossierUnavailable(reason)
      }
      if (at < requestedAt - leadMs) {
        earlier = event.revision
        continue
      }
      if (at > endedAt) break
      if (first === -1) first = event.revision
      last = event.revision
    }
    // Of a server that reported nothing in that time, its last word is shown.
    if (first !== -1) ranges.push({ stream, first, last })
    else if (earlier !== -1) ranges.push({ stream, first: earlier, last: earlier })
    else if (server === from) throw new DossierUnavailable(`the log holds nothing of ${server}, which was left`)
  }
  return ranges
}

interface Session {
  readonly first: number
  last: number
  concerned: boolean
  damaged: boolean
}

/**
 * The sessions that were to follow the handover: from the first word of its epoch to the verdict. Of too many, those that
 * lost something are kept first.
 */
async function viewerRanges(
  source: Source,
  entity: string,
  { requestedAt, endedAt, epoch }: Main,
): Promise<ReadonlyArray<Range>> {
  if (epoch === null) return []
  const sessions = new Map<string, Session>()
  for await (const recorded of source.readAll()) {
    if (!recorded.streamId.startsWith('client-')) continue
    const event = recorded as unknown as EventIn<'client'>
    const { streamId, revision } = recorded
    if (event.type === 'ClientConnected' && event.data.stream === entity && !sessions.has(streamId)) {
      sessions.set(streamId, { first: revision, last: revision, concerned: false, damaged: false })
    }
    const session = sessions.get(streamId)
    if (session === undefined || event.metadata.occurredAt < requestedAt - leadMs) continue
    const tellsEpoch = 'epoch' in event.data && event.data.epoch === epoch
    if (tellsEpoch || (event.type === 'ClientLeft' && event.metadata.occurredAt <= endedAt && session.concerned)) {
      session.last = revision
      session.concerned = true
      session.damaged ||= isDamaged(event, epoch)
    }
  }
  return [...sessions]
    .filter(([, { concerned }]) => concerned)
    .toSorted(([, a], [, b]) => Number(b.damaged) - Number(a.damaged))
    .slice(0, viewersMax)
    .map(([stream, { first, last }]) => ({ stream, first, last }))
}

interface Ledger {
  readonly signed: Signed
  readonly key: LedgerKey
  readonly heads: Heads
  readonly tree: MerkleTree
}

async function coveringCheckpoint(source: Source, ranges: ReadonlyArray<Range>): Promise<Ledger> {
  const heads = new Heads()
  const tree = new MerkleTree()
  let key: LedgerKey | null = null
  const keys = new Map<string, LedgerKey>()
  for await (const event of source.readStream(ledgerStream)) {
    const data = LedgerCheckpointed.data.decode(event.data)
    const given = E.isRight(data) ? data.right.key : keyOfCut(event)
    if (given !== null) {
      key = given
      const publicKey = readPublicKey(given.publicKey)
      if (E.isRight(publicKey)) keys.set(keyIdOf(publicKey.right), given)
    }
    if (event.type !== 'LedgerCheckpointed' || E.isLeft(data)) continue
    for (const [stream, revision, chain] of data.right.heads) {
      const place = heads.place(stream)
      heads.set(place, revision, Buffer.from(chain, 'hex'))
      tree.set(place, leafHash(leafText(stream, revision, chain)))
    }
    const isCovered = ranges.every(({ stream, last }) => heads.revision(heads.find(stream) ?? -1) >= last)
    if (isCovered && key !== null) {
      return { signed: data.right.signed, key: withLineage(key, (id) => keys.get(id)), heads, tree }
    }
  }
  throw new DossierUnavailable(
    'the handover is not under a signed checkpoint yet; they are written every few seconds by a running control plane, so try again',
  )
}

/** A new key may sign a cut first. */
function keyOfCut({ type, data }: RecordedEvent): LedgerKey | null {
  const decoded = LedgerCut.data.decode(data)
  return type === 'LedgerCut' && E.isRight(decoded) ? decoded.right.key : null
}

async function partOf(
  source: Source,
  { stream, first, last, isOpen }: Range,
  { heads, tree }: Ledger,
): Promise<StreamPart> {
  const place = heads.find(stream) ?? 0
  const head = heads.revision(place)
  const cut = await cutOf(source, stream)
  let chain = cut === null ? chainStart(stream) : Buffer.from(cut.chain, 'hex')
  const events: StreamPart['events'][number][] = []
  const after: string[] = []
  for await (const event of source.readStream(stream)) {
    if (event.revision > head) break
    const hash = eventHash(event)
    if (event.revision < first) chain = chainLink(chain, hash)
    else if (isOpen === true || event.revision <= last) events.push(provenOf(event))
    else after.push(hash.toString('hex'))
  }
  tree.root()
  const path = tree.proof(place).map((each) => each.toString('hex'))
  return { stream, before: chain.toString('hex'), events, after, leaf: place, path }
}

const provenOf = ({ revision, id, type, schemaVersion, data, metadata }: RecordedEvent) => ({
  ...{ revision, id, type, schemaVersion, data, metadata },
})
