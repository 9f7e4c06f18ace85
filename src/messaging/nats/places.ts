import * as t from 'io-ts'
import * as E from 'fp-ts/lib/Either.js'
import type { NatsConnection } from 'nats'

/** Where a durable consumer goes on. */
export interface Place {
  /** When the log was made, as the server says: the numbers of a log that was made anew mean other messages. */
  readonly logMadeAt: string
  /** The first stream sequence that is not known to be acknowledged. */
  readonly from: number
}

/**
 * Where the durable consumers go on, kept on the server while one of them is deleted to be made anew: whoever finds it
 * missing in that moment, or after the process that deleted it was killed, does not begin with the whole log
 * (docs/adr/0049-places-of-consumers.md).
 */
export interface Places {
  readonly read: (log: string, durable: string) => Promise<Place | undefined>
  readonly write: (log: string, durable: string, place: Place) => Promise<void>
}

const bucketName = 'segue-places'

const Stored = t.type({ logMadeAt: t.string, from: t.number })

/** Both functions reject when the server does not answer within `timeoutMs`. */
export function placesOn(connection: NatsConnection, timeoutMs = 2_000): Places {
  // Opened each time, because a server that has lost its files has lost the bucket too.
  const bucket = () =>
    connection.jetstream({ timeout: timeoutMs }).views.kv(bucketName, {
      description: 'where consumers that are made anew go on',
      history: 1,
    })
  return {
    read: async (log, durable) => {
      const entry = await (await bucket()).get(`${log}.${durable}`)
      const stored = Stored.decode(entry?.json())
      return E.isRight(stored) ? stored.right : undefined
    },
    write: async (log, durable, place) => {
      await (await bucket()).put(`${log}.${durable}`, JSON.stringify(place))
    },
  }
}
