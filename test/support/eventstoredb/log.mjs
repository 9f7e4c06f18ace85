// What a stand-in for EventStoreDB remembers, and its rules: which appends it takes, repeats and refuses. They follow
// EventStoreDB's own (IndexWriter.CheckCommit): ids are compared only where the expected revision leaves room for a repeat.
import { closeSync, existsSync, openSync, readFileSync, writeSync } from 'node:fs'

/**
 * @typedef {{ id: string, type: string, contentType: string, data: Buffer, customMetadata: Buffer }} Proposed
 * @typedef {Proposed & { stream: string, revision: number, position: number, created: string, encoded?: Buffer }} Stored
 * @typedef {number | 'none' | 'exists' | 'any'} Expected
 * @typedef {{ type: 'ok', revision: number, position: number } | { type: 'conflict', actual: number | null }
 *   | { type: 'deleted' } | { type: 'too-large' }} Outcome
 */

export const appendBytesMax = 1_048_576
/** A real server writes statistics and metadata between the events of its users. */
const systemEventEvery = 50

export class StandInLog {
  /** @type {Stored[]} */
  all = []
  /** @type {Map<string, Stored[]>} */
  #streams = new Map()
  #deleted = new Set()
  /** @type {Map<string, Stored>} */
  #byId = new Map()
  #end = 0
  #listeners = new Set()
  #journal

  /** @param {string | undefined} journalPath file in which appends outlive the process */
  constructor(journalPath) {
    this.#system('$metadata-begin')
    if (journalPath === undefined) return
    if (existsSync(journalPath)) this.#restore(readFileSync(journalPath, 'utf8'))
    this.#journal = openSync(journalPath, 'a')
  }

  /** @returns {ReadonlyArray<Stored>} */
  stream(name) {
    return this.#streams.get(name) ?? []
  }

  /** First revision of a stream that readers of it are shown: `$tb` of its metadata. Readers of everything are shown all. */
  begins(name) {
    const metadata = this.stream(`$$${name}`).at(-1)
    return metadata === undefined ? 0 : Number(JSON.parse(metadata.data.toString())['$tb'] ?? 0)
  }

  isDeleted(name) {
    return this.#deleted.has(name)
  }

  /** Calls back after each append until the returned function is called. */
  onGrown(listener) {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /**
   * @param {string} stream
   * @param {Expected} expected
   * @param {ReadonlyArray<Proposed>} events
   * @returns {Outcome}
   */
  append(stream, expected, events) {
    const bytes = events.reduce((sum, { data, customMetadata }) => sum + data.length + customMetadata.length, 0)
    if (bytes > appendBytesMax) return { type: 'too-large' }
    if (this.#deleted.has(stream)) return { type: 'deleted' }
    const head = this.stream(stream).length - 1
    const before = this.#earlier(stream, expected, head, events)
    if (before !== undefined) return before
    if (!isMet(expected, head)) return { type: 'conflict', actual: head === -1 ? null : head }
    this.#journalise({ stream, events })
    this.#commit(stream, events)
    const last = this.all.at(-1)
    if (this.all.length % systemEventEvery === 0) this.#system('$statistics')
    this.#announce()
    return { type: 'ok', revision: last.revision, position: last.position }
  }

  /** The stream is unusable for ever; what it held stays in the log until a scavenge, which never comes here. */
  tombstone(stream) {
    this.#journalise({ stream, tombstone: true })
    this.#bury(stream)
    this.#announce()
  }

  /** @returns {Outcome | undefined} what an earlier try means for this one; undefined: this is the first */
  #earlier(stream, expected, head, events) {
    const conflict = { type: 'conflict', actual: head === -1 ? null : head }
    if (expected === 'any' || expected === 'exists') {
      if (expected === 'exists' && head < 0) return undefined
      const places = events
        .map(({ id }) => this.#byId.get(id))
        .map((place) => (place?.stream === stream ? place : null))
      if (places[0] === null || places[0] === undefined) return undefined
      return places.every((place) => place) ? done(places.at(-1)) : conflict
    }
    const first = expected === 'none' ? 0 : expected + 1
    if (first > head) return undefined
    const places = events.map((event, index) => {
      const place = this.stream(stream)[first + index]
      return place?.id === event.id ? place : null
    })
    return places.every((place) => place !== null) ? done(places.at(-1)) : conflict
  }

  #commit(stream, events) {
    const list = this.#streams.get(stream) ?? []
    this.#streams.set(stream, list)
    for (const event of events) {
      // Places are offsets in a file: they rise, and are not dense.
      this.#end += 64 + event.data.length + event.customMetadata.length
      const created = `${BigInt(Date.now()) * 10_000n}`
      const stored = { ...event, stream, revision: list.length, position: this.#end, created }
      list.push(stored)
      this.all.push(stored)
      this.#byId.set(event.id, stored)
    }
  }

  #bury(stream) {
    this.#commit(stream, [
      { id: crypto.randomUUID(), type: '$streamDeleted', contentType: 'application/json', ...empty },
    ])
    this.#streams.delete(stream)
    this.#deleted.add(stream)
  }

  #system(type) {
    const data = Buffer.from('{"cpu":0.5}')
    const event = { id: crypto.randomUUID(), type, contentType: 'application/json', data, customMetadata: empty.data }
    this.#commit('$stats-stand-in', [event])
  }

  #announce() {
    for (const listener of [...this.#listeners]) listener()
  }

  #journalise(entry) {
    if (this.#journal === undefined) return
    const text = (key, value) => (value?.type === 'Buffer' ? Buffer.from(value.data).toString('base64') : value)
    writeSync(this.#journal, `${JSON.stringify(entry, text)}\n`)
  }

  #restore(text) {
    for (const line of text.split('\n').filter((each) => each !== '')) {
      const { stream, events, tombstone } = JSON.parse(line)
      if (tombstone) this.#bury(stream)
      else this.#commit(stream, events.map(revived))
    }
  }

  close() {
    if (this.#journal !== undefined) closeSync(this.#journal)
  }
}

const empty = { data: Buffer.alloc(0), customMetadata: Buffer.alloc(0) }

const revived = (event) => ({
  ...event,
  data: Buffer.from(event.data, 'base64'),
  customMetadata: Buffer.from(event.customMetadata, 'base64'),
})

const done = (place) => ({ type: 'ok', revision: place.revision, position: place.position })

function isMet(expected, head) {
  if (expected === 'any') return true
  if (expected === 'none') return head === -1
  if (expected === 'exists') return head >= 0
  return expected === head
}
