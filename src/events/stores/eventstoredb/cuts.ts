import type { EventStoreDBClient, StreamMetadata } from '@eventstore/db-client'
import type { RecordedEvent } from '../../envelope.js'
import { CutRefused } from '../../errors.js'
import { ledgerStream } from '../../integrity/records.js'
import type { StreamCut } from '../../store.js'
import { nameIn } from './codec.js'

/** Under this name the ledger's stream has all cuts in its metadata, so that one question answers for the whole log. */
const property = 'segueCuts'

type Noted = Readonly<Record<string, readonly [revision: number, ledgerRevision: number]>>
type Metadata = StreamMetadata & { readonly [property]?: Noted }

/** The stream that holds the metadata with the cuts of a namespace. */
export const cutsStream = (namespace: string): string => `$$${nameIn(namespace, ledgerStream)}`

/** The cuts in that metadata, by the streams' ids in Segue. */
export const cutsIn = (metadata: unknown): ReadonlyMap<string, StreamCut> =>
  new Map(
    Object.entries((metadata as Metadata | undefined)?.[property] ?? {}).map(
      ([stream, [revision, ledgerRevision]]): [string, StreamCut] => [stream, { revision, ledgerRevision }],
    ),
  )

/** Whether an event was cut off, and is shown only because nothing has been scavenged since. */
export const isCutOff = (cuts: ReadonlyMap<string, StreamCut>, { streamId, revision }: RecordedEvent): boolean =>
  cuts.size > 0 && revision < (cuts.get(streamId)?.revision ?? 0)

const metadataOf = async (client: EventStoreDBClient, stream: string): Promise<Metadata> =>
  (await client.getStreamMetadata(stream)).metadata ?? {}

/**
 * Cuts a stream with EventStoreDB's own `$tb`, which hides what was before from readers of the stream; a scavenge removes
 * it. Readers of `$all` are shown it until then: they know from the ledger's metadata what to pass over, so that is
 * written first.
 */
export async function truncate(
  client: EventStoreDBClient,
  namespace: string,
  streamId: string,
  { revision, ledgerRevision }: StreamCut,
): Promise<void> {
  const name = nameIn(namespace, streamId)
  for await (const { event } of client.readStream(name, { direction: 'backwards', fromRevision: 'end', maxCount: 1 })) {
    if (event !== undefined && Number(event.revision) < revision) {
      throw new CutRefused(streamId, 'its last event has to be kept')
    }
  }
  const ledger = nameIn(namespace, ledgerStream)
  const ofLedger = await metadataOf(client, ledger)
  const noted = ofLedger[property] ?? {}
  if ((noted[streamId]?.[0] ?? 0) < revision) {
    const cuts: Noted = { ...noted, [streamId]: [revision, ledgerRevision] }
    await client.setStreamMetadata(ledger, { ...ofLedger, [property]: cuts })
  }
  const before = await metadataOf(client, name)
  if (Number(before.truncateBefore ?? 0) < revision) {
    await client.setStreamMetadata(name, { ...before, truncateBefore: revision })
  }
}
