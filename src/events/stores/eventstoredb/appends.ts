import { clearTimeout, setTimeout as startTimer } from 'node:timers'
import { setTimeout as pause } from 'node:timers/promises'
import type { AppendExpectedRevision, AppendResult as ClientResult, EventData } from '@eventstore/db-client'
import * as E from 'fp-ts/lib/Either.js'
import type { Position, SegueEvent } from '../../envelope.js'
import {
  AppendOutcomeUnknown,
  AppendTooLarge,
  StoreUnavailable,
  StreamDeleted,
  WrongExpectedRevision,
  type AppendError,
} from '../../errors.js'
import { appendBytesMax, type AppendResult, type ExpectedRevision } from '../../store.js'
import { eventBytes, textOf, tooLarge } from '../appendBytes.js'
import { isRepetition } from '../expectation.js'
import type { ReplaceableClient } from './client.js'
import { encodeEvent, fromDbPosition, nameIn } from './codec.js'
import { faultOf, storeErrorOf, type Fault } from './faults.js'
import { RecentIds } from './recentIds.js'

export interface AppendsOptions {
  readonly namespace: string
  readonly user: string | null
  /** After this long an append counts as unanswered. */
  readonly answerTimeoutMs: number
  /** Last revision of a stream, null without events; and the position of one of its events. */
  readonly lookUp: (streamId: string, revision: number | 'last') => Promise<Place | null>
}

export interface Place {
  readonly revision: number
  readonly position: Position
}

type Result = E.Either<AppendError, AppendResult>

interface Append {
  readonly streamId: string
  readonly expected: ExpectedRevision
  readonly events: ReadonlyArray<EventData>
  readonly ids: ReadonlyArray<string>
  readonly bytes: number
}

const recentIdsMin = 20_000
const triesMax = 4
const pauseMsFirst = 50
/** Beyond this many under way an append is refused, as by the other stores. */
const underWayMax = 10_000

/**
 * Appends through the client, each with a deadline of our own. One that brought no answer is tried again where that is safe:
 * with the same ids and the exact revision the server writes it once.
 */
export class Appends {
  readonly #client: ReplaceableClient
  readonly #options: AppendsOptions
  readonly #recent = new RecentIds(recentIdsMin)
  readonly #underWay = new Set<Promise<unknown>>()

  constructor(client: ReplaceableClient, options: AppendsOptions) {
    this.#client = client
    this.#options = options
  }

  append(streamId: string, events: ReadonlyArray<SegueEvent>, expected: ExpectedRevision): Promise<Result> {
    if (events.length === 0) return Promise.reject(new RangeError(`an append to ${streamId} needs at least one event`))
    if (this.#underWay.size >= underWayMax) {
      const reason = `${this.#underWay.size} appends are waiting for ${this.#client.shown}; nothing was written, try again later`
      return Promise.resolve(E.left(new StoreUnavailable(reason)))
    }
    let bytes = 0
    const encoded = events.map((event) => {
      const text = textOf(event)
      bytes += eventBytes(event, text)
      return encodeEvent(event, text)
    })
    const refusal = tooLarge(streamId, bytes)
    if (refusal !== undefined) return Promise.resolve(E.left(refusal))
    const running = this.#run({ streamId, expected, events: encoded, ids: events.map(({ id }) => id), bytes })
    this.#underWay.add(running)
    const over = (): boolean => this.#underWay.delete(running)
    running.then(over, over)
    return running
  }

  /** Resolves when no append is under way. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.#underWay])
  }

  async #run(append: Append): Promise<Result> {
    const { streamId, expected, ids } = append
    if (this.#standsElsewhere(append)) return this.#misplaced(append)
    const repeated = this.#recent.send(streamId, ids)
    const endsAt = performance.now() + this.#options.answerTimeoutMs
    for (let tries = 1; ; tries += 1) {
      const outcome = await this.#try(append, endsAt)
      if (E.isRight(outcome)) return this.#written(append, outcome.right, repeated || tries > 1)
      const { fault, cause } = outcome.left
      const again = fault.type === 'broken' && isExact(expected) && tries < triesMax
      const pauseMs = pauseMsFirst * 2 ** (tries - 1)
      if (!again || performance.now() + pauseMs >= endsAt) return E.left(this.#errorOf(append, fault, cause, tries > 1))
      await pause(pauseMs)
    }
  }

  async #try(append: Append, endsAt: number): Promise<E.Either<Failure, ClientResult>> {
    const client = this.#client.current
    const { namespace, answerTimeoutMs, user } = this.#options
    try {
      const appending = client.appendToStream(nameIn(namespace, append.streamId), [...append.events], {
        expectedRevision: clientRevision(append.expected),
      })
      return E.right(await within(appending, endsAt - performance.now()))
    } catch (error) {
      if (!(error instanceof Silent)) return E.left({ fault: faultOf(error, this.#client.shown, user), cause: error })
      void this.#client.replace(client).catch(() => undefined)
      const reason = `${this.#client.shown} has not answered for ${answerTimeoutMs} ms`
      return E.left({ fault: { type: 'broken', reason }, cause: error })
    }
  }

  async #written({ streamId, ids }: Append, { nextExpectedRevision, position }: ClientResult, repeated: boolean) {
    const lastRevision = Number(nextExpectedRevision)
    this.#recent.written(streamId, ids, lastRevision)
    // To a repeat an old server answers without a position.
    const place = position === undefined ? await this.#placeOf(streamId, lastRevision) : fromDbPosition(position)
    return place === null
      ? E.left(new AppendOutcomeUnknown(streamId))
      : E.right({ lastRevision, position: place, repeated })
  }

  #placeOf = async (streamId: string, revision: number): Promise<Position | null> =>
    (await this.#options.lookUp(streamId, revision).catch(() => null))?.position ?? null

  #standsElsewhere({ streamId, expected, ids }: Append): boolean {
    if (new Set(ids).size < ids.length) return true
    const revisions = this.#recent.revisions(streamId, ids)
    return revisions.some((revision) => revision !== undefined) && !isRepetition(expected, revisions)
  }

  /** Some of the ids stand in the stream already, and not where this append would have put them. */
  async #misplaced({ streamId, expected }: Append): Promise<Result> {
    try {
      const last = await this.#options.lookUp(streamId, 'last')
      return E.left(new WrongExpectedRevision(streamId, expected, last?.revision ?? null))
    } catch (error) {
      if (error instanceof StreamDeleted || error instanceof StoreUnavailable) return E.left(error)
      throw error
    }
  }

  /** @param triedBefore an earlier try of this very append may have been written */
  #errorOf(append: Append, fault: Fault, cause: unknown, triedBefore: boolean): AppendError {
    const { streamId, expected, ids, bytes } = append
    const unknown = (): AppendError => new AppendOutcomeUnknown(streamId, storeErrorOf(fault, cause))
    if (fault.type === 'broken' || (fault.type !== 'conflict' && triedBefore)) return unknown()
    this.#recent.refused(streamId, ids)
    switch (fault.type) {
      case 'conflict':
        return new WrongExpectedRevision(streamId, expected, fault.actual)
      case 'deleted':
        return new StreamDeleted(streamId)
      case 'too-large':
        return new AppendTooLarge(streamId, bytes, fault.bytesMax ?? appendBytesMax)
      case 'not-found':
        return new StoreUnavailable(`${this.#client.shown} does not know stream ${streamId}`, cause)
      default:
        return new StoreUnavailable(`${fault.reason}; nothing was written`, cause)
    }
  }
}

interface Failure {
  readonly fault: Fault
  readonly cause: unknown
}

/** The only expectations under which the server recognises every repeat; see IndexWriter.CheckCommit in EventStoreDB. */
const isExact = (expected: ExpectedRevision): boolean => typeof expected === 'number' || expected === 'none'

function clientRevision(expected: ExpectedRevision): AppendExpectedRevision {
  if (expected === 'any') return 'any'
  if (expected === 'none') return 'no_stream'
  return expected === 'exists' ? 'stream_exists' : BigInt(expected)
}

class Silent extends Error {}

/** Rejects with Silent after `ms`. */
function within<T>(promise: Promise<T>, ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = startTimer(() => reject(new Silent('no answer')), Math.max(0, ms))
    promise.then(
      (value) => {
        clearTimeout(timer)
        resolve(value)
      },
      (error: unknown) => {
        clearTimeout(timer)
        reject(error)
      },
    )
  })
}
