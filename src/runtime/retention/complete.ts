import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { firstStates, nextStates, ruleBook, type CutStates } from '../../actors/index.js'
import {
  eventsInFile,
  eventsTable,
  fileSha256,
  type Archive,
  type ArchiveDescription,
  type ArchivedStretch,
  type HistoryArchived,
} from '../../events/stores/archive/index.js'
import { decodeEvent, parseStreamId, type EventStore, type RecordedEvent, type StreamCut } from '../../events/index.js'
import { chainLink, chainStart, cutOf, eventHash, isSameStretch } from '../../events/integrity/index.js'
import type { LedgerKeeper } from '../ledger/index.js'
import { RetentionRefused } from './errors.js'
import type { Histories } from './histories.js'
import { KeptRows } from './summaries.js'

export interface Completion {
  readonly store: EventStore
  readonly keeper: Pick<LedgerKeeper, 'cut'>
  readonly dir: string
  readonly now: () => number
  /** Called when all is proved, before anything is cut. */
  readonly beforeCut?: () => Promise<void>
  readonly histories: Histories
  /** All archives of the folder, by the SHA-256 of their descriptions. */
  readonly archives: ReadonlyMap<string, ArchiveDescription>
}

/** What is read back of a stretch: that it is what was there, and what is kept in its place. */
interface ReadBack {
  readonly stretch: ArchivedStretch
  readonly rows: KeptRows
  states: CutStates
  chain: Buffer
  next: number
  first: RecordedEvent | null
  last: RecordedEvent | null
}

/**
 * Cuts off the log what is in an archive: reads the archive back and proves it, then records for each stream what is kept
 * in its place and the signed cut, and then removes. Whatever of this was done before, by a process that was killed, is
 * recognised, and done no second time.
 * @returns streams that were cut now
 * @throws RetentionRefused when the archive is damaged or not of this log; LedgerBroken, StoreError
 */
export async function completeArchive(archive: Archive, completion: Completion): Promise<number> {
  const { store, keeper } = completion
  const open: ArchivedStretch[] = []
  const cuts = await store.cuts()
  for (const stretch of archive.description.streams) {
    if (!(await isCut(cuts, archive, stretch, completion))) open.push(stretch)
  }
  if (open.length === 0) return 0
  await proveFiles(archive, completion.dir)
  const proved = await readBack(archive, open, completion)
  await completion.beforeCut?.()
  for (const found of proved) {
    const { stream, until, chain } = found.stretch
    await demandSameLog(store, archive, found)
    await recordHistory(archive, found, completion)
    const request = { stream, revision: until, states: plain(found.states), archive: archive.sha256, chain }
    await store.truncateBefore(stream, await keeper.cut(request))
  }
  return open.length
}

/** States as JSON keeps them, which is what will be read of the cut. */
const plain = (states: CutStates): unknown => JSON.parse(JSON.stringify(states)) as unknown

/**
 * Two runs at once may have archived the same: then the stretch is cut for the sake of the other archive.
 * @throws RetentionRefused for a stretch that the log knows nothing of, and that does not go on from what it has.
 */
async function isCut(
  cuts: ReadonlyMap<string, StreamCut>,
  { sha256, description }: Archive,
  stretch: ArchivedStretch,
  { histories, archives }: Completion,
): Promise<boolean> {
  const begins = cuts.get(stretch.stream)?.revision ?? 0
  if (begins === stretch.from) return false
  const history = begins >= stretch.until ? await histories.of(stretch.stream) : []
  const isSame = ({ archive }: HistoryArchived): boolean =>
    archive.sha256 === sha256 ||
    archives.get(archive.sha256)?.streams.some((other) => isSameStretch(stretch, other)) === true
  if (history.some(isSame)) return true
  throw foreign(description.name, `${stretch.stream} begins with event ${begins}`)
}

async function proveFiles({ description }: Archive, dir: string): Promise<void> {
  for (const { file, sha256 } of description.files) {
    const path = join(dir, file)
    const found = await fileSha256(path).catch((error: unknown) => String(error))
    if (found === sha256) continue
    throw new RetentionRefused(
      `${path} is not the file that was written; nothing was cut. Restore it, or remove ${description.name}.json to archive again`,
    )
  }
}

async function readBack(
  { description }: Archive,
  open: ReadonlyArray<ArchivedStretch>,
  { store, dir, histories }: Completion,
): Promise<ReadonlyArray<ReadBack>> {
  const found = new Map<string, ReadBack>()
  for (const stretch of open) found.set(stretch.stream, await begin(store, histories, stretch))
  const file = description.files.find(({ table }) => table === eventsTable)
  for await (const events of file === undefined ? [] : eventsInFile(join(dir, file.file))) {
    for (const event of events) takeBack(found.get(event.streamId), event)
  }
  for (const { stretch, next, chain } of found.values()) {
    if (next === stretch.until && chain.toString('hex') === stretch.chain) continue
    throw new RetentionRefused(
      `the archive ${description.name} does not hold ${stretch.stream} up to event ${stretch.until - 1}; nothing was cut. Remove ${description.name}.json to archive again`,
    )
  }
  return [...found.values()]
}

async function begin(store: EventStore, histories: Histories, stretch: ArchivedStretch): Promise<ReadBack> {
  const { stream, from } = stretch
  const cut = await cutOf(store, stream)
  const server = parseStreamId(stream)?.entity ?? stream
  const earlier = (await histories.of(stream)).filter(({ until }) => until <= from)
  return {
    stretch,
    rows: new KeptRows(server, earlier),
    states: firstStates(ruleBook, 'server', server, cut?.states ?? null),
    chain: cut === null ? chainStart(stream) : Buffer.from(cut.chain, 'hex'),
    next: from,
    first: null,
    last: null,
  }
}

function takeBack(found: ReadBack | undefined, event: RecordedEvent): void {
  if (found === undefined || event.revision !== found.next) return
  const decoded = decodeEvent('server', event)
  if (E.isLeft(decoded)) {
    throw new RetentionRefused(`${event.streamId}, event ${event.revision}: ${decoded.left.message}; nothing was cut`)
  }
  found.chain = chainLink(found.chain, eventHash(event))
  found.states = nextStates(ruleBook, 'server', found.states, decoded.right)
  found.rows.take(decoded.right)
  found.first ??= event
  found.last = event
  found.next += 1
}

/** An archive of another log, whose streams happen to be called the same, goes no further than this. */
async function demandSameLog(store: EventStore, { description }: Archive, { stretch, last }: ReadBack): Promise<void> {
  const { stream, until } = stretch
  for await (const { id } of store.readStream(stream, { from: until - 1, limit: 1 })) if (id === last?.id) return
  throw foreign(description.name, `it holds other events of ${stream}`)
}

const foreign = (name: string, why: string): RetentionRefused =>
  new RetentionRefused(`the archive ${name} does not belong to this log (${why}): give another folder`)

/** The history of a stream has an entry for each stretch, written before the cut. */
async function recordHistory(archive: Archive, found: ReadBack, { histories, now }: Completion): Promise<void> {
  const { stretch, first, last, rows } = found
  if (first === null || last === null) return
  const { stream, from, until } = stretch
  if ((await histories.of(stream)).at(-1)?.until === until) return
  const data: HistoryArchived = {
    ...{ stream, from, until, firstAt: first.metadata.occurredAt, lastAt: last.metadata.occurredAt },
    ...{ lastPosition: last.position, archive: { name: archive.description.name, sha256: archive.sha256 } },
    summaries: [...rows.summaries()],
  }
  await histories.add(data, now())
}
