import { readFileSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import {
  definitionOf,
  derivedId,
  streamIdOf,
  type EventIn,
  type EventStore,
  type Payload,
} from '../../src/events/index.js'
import { artifactOf, startWeights } from '../../src/model/index.js'
import { sampled, serverJoined } from './serverFacts.js'

const everyMs = 10_000
const startsAt = Date.UTC(2026, 2, 1)

/** The shipped model, under which the servers are. */
export const shippedModel = {
  model: 'prior-3',
  artifact: artifactOf(readFileSync('models/prior.bin')),
  weights: startWeights,
}

export interface FailingFleet {
  readonly servers: number
  /** Lives of each server; each ends by a failure. */
  readonly lives: number
  /** Samples of a life, one in ten seconds; the disk becomes slower over the last 25. */
  readonly samples: number
  /** Whether samples come a few milliseconds late or early, as those of a real sampler do; left out: they do. */
  readonly jitter?: boolean
}

type Told = Payload<'server'>

interface Moment {
  readonly seq: number
  readonly at: number
  readonly intervalMs: number
}

function sampleOf(server: string, bootId: string, { seq, at, intervalMs }: Moment, diskLatencyMs: number): Told {
  const told = sampled(server, bootId, seq)
  if (told.type !== 'HealthSampled') throw new Error('another event')
  const { sample, path } = told.data
  const { host, process } = sample
  const residentBytes = process.residentBytes + 1e6 * (seq % 7)
  return {
    type: 'HealthSampled',
    data: {
      sample: {
        ...sample,
        intervalMs,
        takenAt: at,
        host: { ...host, diskLatencyMs },
        process: { ...process, residentBytes },
      },
      path,
    },
  }
}

/** Milliseconds by which a sample is late: 0 to 2, and each time other tenths of them as a sampler measures them. */
const lateness = (seq: number): number => (seq * seq + (seq >> 2)) % 3
const tenths = (seq: number): number => ((seq * 7) % 11) / 10 - 0.5

/** What servers told that failed again and again, each time after their disks had become slower: facts and failures alone. */
export function failingFleet({
  servers,
  lives,
  samples,
  jitter = true,
}: FailingFleet): ReadonlyMap<string, ReadonlyArray<EventIn<'server'>>> {
  const streams = new Map<string, EventIn<'server'>[]>()
  for (let index = 0; index < servers; index += 1) {
    const server = `s${index + 1}`
    const events: EventIn<'server'>[] = []
    let at = startsAt + index * 400_000
    const tell = (payload: Told): void => {
      const id = derivedId(at, server, events.length)
      const kind = /Failed|Recovered/.test(payload.type) ? 'decision' : 'fact'
      const metadata = { kind, correlationId: id, causationId: null, occurredAt: at, actorVersion: 3 }
      const schemaVersion = definitionOf('server', payload.type)?.schemaVersion ?? 1
      events.push({ id, ...payload, schemaVersion, metadata } as unknown as EventIn<'server'>)
    }
    for (let life = 0; life < lives; life += 1) {
      const bootId = `b${life}`
      tell(serverJoined(server, bootId))
      if (life === 0) tell({ type: 'ModelActivated', data: shippedModel })
      if (life > 0) tell({ type: 'ServerRecovered', data: { bootId, downMs: 60_000 } })
      // Lives differ in length, so that incidents do not come by the clock.
      const length = samples + ((index * 7 + life * 13) % 20)
      for (let seq = 0; seq < length; seq += 1) {
        const late = jitter ? lateness(seq) - (seq === 0 ? 0 : lateness(seq - 1)) : 0
        at += everyMs + late
        const ramp = Math.max(0, seq - (length - 25))
        const intervalMs = everyMs + late + (jitter ? tenths(seq) : 0)
        tell(sampleOf(server, bootId, { seq, at, intervalMs }, 2 + (seq % 5) / 10 + ramp * 2))
      }
      at += 1_000
      tell({ type: 'ServerFailed', data: { bootId, signals: [], firstSignalAt: at } })
      at += 60_000
    }
    streams.set(streamIdOf('server', server), events)
  }
  return streams
}

const eventsPerAppend = 200

/** Writes them into a log, server by server. */
export async function writeFleet(
  store: EventStore,
  streams: ReadonlyMap<string, ReadonlyArray<EventIn<'server'>>>,
): Promise<void> {
  for (const [streamId, events] of streams) {
    for (let from = 0; from < events.length; from += eventsPerAppend) {
      const part = events.slice(from, from + eventsPerAppend)
      const written = await store.append(streamId, part, { expected: 'any' })()
      if (E.isLeft(written)) throw written.left
    }
  }
}
