import { InvalidArgumentError } from 'commander'
import * as E from 'fp-ts/lib/Either.js'
import { Coordinates, entityId } from '../events/index.js'
import { parseConnection, type StoreConnection } from '../events/stores/index.js'

/** Reads the text after a flag (or in its environment variable). */
export type Reader<T> = (text: string) => T

const readNumber = (text: string): number =>
  /^[+-]?(\d+(\.\d*)?|\.\d+)$/.test(text.trim()) ? Number(text) : Number.NaN

/** A whole number within bounds. */
export const whole =
  (min: number, max: number): Reader<number> =>
  (text) => {
    const value = readNumber(text)
    if (Number.isInteger(value) && value >= min && value <= max) return value
    throw new InvalidArgumentError(`Give a whole number from ${min} to ${max}.`)
  }

/** A number within bounds, fractions allowed. */
export const number =
  (min: number, max: number): Reader<number> =>
  (text) => {
    const value = readNumber(text)
    if (value >= min && value <= max) return value
    throw new InvalidArgumentError(`Give a number from ${min} to ${max}.`)
  }

const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** A length of time as it is spoken of, `45m` or `1.5h`, in milliseconds. */
export const duration: Reader<number> = (text) => {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text.trim()) ?? []
  const ms = Number(amount) * (unitMs[unit as keyof typeof unitMs] ?? Number.NaN)
  if (Number.isFinite(ms) && ms > 0) return Math.round(ms)
  throw new InvalidArgumentError('Give a length of time such as 30s, 45m, 2h or 1d.')
}

/** A TCP port; 0 stands for any free one. */
export const port = whole(0, 65_535)

export const id: Reader<string> = (text) => {
  const decoded = entityId.decode(text)
  if (E.isRight(decoded)) return decoded.right
  throw new InvalidArgumentError('Give 1-64 letters, digits, "-" or "_", beginning with a letter or digit.')
}

/** Ids with commas between them. */
export const ids: Reader<ReadonlyArray<string>> = (text) => text.split(',').map((part) => id(part.trim()))

/** A place: latitude and longitude in degrees. */
export const location: Reader<Coordinates> = (text) => {
  const [latitude = Number.NaN, longitude = Number.NaN, ...more] = text.split(',').map(readNumber)
  const place = { latitude, longitude }
  if (more.length === 0 && Coordinates.is(place)) return place
  throw new InvalidArgumentError(
    'Give latitude (-90 to 90) and longitude (-180 to 180) in degrees, such as 52.52,13.40 (west and south are negative).',
  )
}

/** One or more http(s) addresses with commas between them. */
export const urls: Reader<ReadonlyArray<string>> = (text) => {
  const list = text.split(',').map((part) => part.trim())
  const bad = list.find((part) => !/^https?:\/\/[^/]/.test(part) || !URL.canParse(part))
  if (bad === undefined) return list
  throw new InvalidArgumentError(`"${bad}" is no address: give http://host:port, several with commas between them.`)
}

export const url: Reader<string> = (text) => {
  const [only, ...more] = urls(text)
  if (only !== undefined && more.length === 0) return only.replace(/\/$/, '')
  throw new InvalidArgumentError('Give one address, such as http://host:port.')
}

/** Pictures of a stream, largest first, and whether its sound is offered alone. */
export interface RenditionList {
  readonly heights: readonly [number, ...number[]]
  readonly audioOnly: boolean
  /** As it was written. */
  readonly text: string
}

/** `720p,360p,audio`. */
export const renditionList: Reader<RenditionList> = (text) => {
  const parts = text.split(',').map((part) => part.trim())
  const [first, ...smaller] = parts
    .filter((part) => part !== 'audio')
    .map((part) => Number(/^(\d{2,4})p?$/.exec(part)?.[1] ?? Number.NaN))
  const heights = [first ?? Number.NaN, ...smaller] as const
  if (heights.every((height) => Number.isInteger(height))) {
    return { heights: [heights[0], ...smaller], audioOnly: parts.includes('audio'), text }
  }
  throw new InvalidArgumentError(
    'Give heights, largest first, such as 720p,360p; with ",audio" the sound is offered alone.',
  )
}

/** Languages of the source's sound tracks in their order, with names where they are not to be called by their language. */
export interface AudioTrackList {
  readonly sounds: ReadonlyArray<{ readonly language: string; readonly name?: string }>
  /** As it was written. */
  readonly text: string
}

/** `en,de,en=Commentary`. */
export const audioTrackList: Reader<AudioTrackList> = (text) => {
  const sounds = text.split(',').map((part) => {
    const [, language = '', name] = /^\s*([^=\s]+)\s*(?:=(.*))?$/.exec(part) ?? []
    return name === undefined ? { language } : { language, name: name.trim() }
  })
  if (sounds.every(({ language }) => language !== '')) return { sounds, text }
  throw new InvalidArgumentError('Give languages, such as en,de; with names where wanted, such as en,en=Commentary.')
}

/** Where the readings of a machine come from. */
export type HealthSourceName = { readonly type: 'system' } | { readonly type: 'prometheus'; readonly url: string }

export const healthSource: Reader<HealthSourceName> = (text) => {
  if (text === 'system') return { type: 'system' }
  const [, address = ''] = /^prometheus=(https?:\/\/[^/].*)$/.exec(text) ?? []
  if (URL.canParse(address)) return { type: 'prometheus', url: address }
  throw new InvalidArgumentError('Give system, or prometheus=http://host:9100/metrics.')
}

export const natsUrl: Reader<string> = (text) => {
  const isUsable = (part: string): boolean => /^(nats|tls):\/\/[^/]/.test(part) && URL.canParse(part)
  if (text.split(',').every((part) => isUsable(part.trim()))) return text
  // It is not repeated: it may hold a password.
  throw new InvalidArgumentError('Give nats://host:4222 or tls://user:password@host:4222.')
}

/** Where a log is. */
export const eventStore: Reader<StoreConnection> = (text) => {
  const connection = parseConnection(text)
  if (E.isRight(connection)) return connection.right
  throw new InvalidArgumentError(connection.left)
}

/**
 * A moment, in Unix milliseconds: a UTC day (`2026-11-22`), an ISO 8601 time (UTC unless it says otherwise), or how long
 * ago (`90m`).
 */
export const moment =
  (now: () => number): Reader<number> =>
  (text) => {
    const value = text.trim()
    if (/^\d+(\.\d+)?(ms|s|m|h|d)$/.test(value)) return now() - duration(value)
    const isIso = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?$/.test(value)
    const hasZone = /(Z|[+-]\d\d:?\d\d)$/.test(value.slice(10))
    const at = isIso ? Date.parse(value.length > 10 && !hasZone ? `${value.replace(' ', 'T')}Z` : value) : Number.NaN
    if (!Number.isNaN(at) && isRealDay(value)) return at
    throw new InvalidArgumentError('Give a time such as 2026-11-22, 2026-11-22T17:30:00Z, or 90m for that long ago.')
  }

/** A moment, and how it was written. */
export interface WrittenMoment {
  readonly at: number
  readonly text: string
}

export const writtenMoment =
  (now: () => number): Reader<WrittenMoment> =>
  (text) => ({ at: moment(now)(text), text: text.trim() })

/** February 30 is moved on to March by some parsers. */
function isRealDay(value: string): boolean {
  const day = value.slice(0, 10)
  return new Date(Date.parse(day)).toISOString().slice(0, 10) === day
}

/** Words with commas between them. */
export const words: Reader<ReadonlyArray<string>> = (text) => {
  const list = text.split(',').map((part) => part.trim())
  if (list.every((part) => part !== '')) return list
  throw new InvalidArgumentError('Give one or more names, with commas between them.')
}
