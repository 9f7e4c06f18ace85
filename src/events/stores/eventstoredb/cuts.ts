import { randomUUID } from 'node:crypto'
import type { EventData, EventStoreDBClient } from '@eventstore/db-client'
import type { RecordedEvent } from '../../envelope.js'
import { CutRefused, StoreUnavailable } from '../../errors.js'
import { ledgerStream } from '../../integrity/records.js'
import type { StreamCut } from '../../store.js'
import { nameIn } from './codec.js'
import { faultOf } from './faults.js'

/** Under this name the ledger's stream has all cuts in its metadata, so that one question answers for the whole log. */
const property = 'segueCuts'

type Noted = Readonly<Record<string, readonly [revision: number, ledgerRevision: number]>>
/** A stream's metadata as the server keeps it: `$tb` is the first revision that readers of the stream are shown. */
type Metadata = Readonly<Record<string, unknown>> & { readonly $tb?: number; readonly [property]?: Noted }

/** Others may cut at the same time; whoever was late reads again. */
const triesMax = 20

const metadataStream = (name: string): string => `$$${name}`

/** The stream that holds the metadata with the cuts of a namespace. */
export const cutsStream = (namespace: string): string => metadataStream(nameIn(namespace, ledgerStream))

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

/**
 * Changes a stream's metadata, unless `change` gives null. What others write meanwhile is kept: a change is written over the
 * very revision that it was made of. (The revision that the client's own `getStreamMetadata` gives is a position.)
 */
async function amend(
  client: EventStoreDBClient,
  name: string,
  change: (metadata: Metadata) => Metadata | null,
): Promise<void> {
  for (let tries = 0; tries < triesMax; tries += 1) {
    const { revision, metadata } = await readMetadata(client, metadataStream(name))
    const data = change(metadata)
    if (data === null) return
    const event: EventData = {
      ...{ id: randomUUID(), contentType: 'application/json', type: '$metadata' },
      ...{ data: { ...data }, metadata: undefined },
    }
    try {
      await client.appendToStream(metadataStream(name), event, { expectedRevision: revision ?? 'no_stream' })
      return
    } catch (error) {
      if (faultOf(error, '', null).type !== 'conflict') throw error
    }
  }
  throw new StoreUnavailable(`others write to the metadata of ${name} all the time; try again`)
}

async function readMetadata(
  client: EventStoreDBClient,
  stream: string,
): Promise<{ readonly revision: bigint | null; readonly metadata: Metadata }> {
  const newest = { direction: 'backwards', fromRevision: 'end', maxCount: 1 } as const
  try {
    for await (const { event } of client.readStream(stream, newest)) {
      if (event !== undefined) return { revision: event.revision, metadata: event.data as Metadata }
    }
  } catch (error) {
    if (faultOf(error, '', null).type !== 'not-found') throw error
  }
  return { revision: null, metadata: {} }
}

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
  await amend(client, nameIn(namespace, ledgerStream), (metadata) => {
    const noted = metadata[property] ?? {}
    if ((noted[streamId]?.[0] ?? 0) >= revision) return null
    return { ...metadata, [property]: { ...noted, [streamId]: [revision, ledgerRevision] } }
  })
  await amend(client, name, (metadata) =>
    Number(metadata.$tb ?? 0) >= revision ? null : { ...metadata, $tb: revision },
  )
}
