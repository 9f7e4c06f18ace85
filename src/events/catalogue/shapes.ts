import * as t from 'io-ts'

/** io-ts `type` whose properties are readonly and whose unknown properties are dropped. */
export const record = <P extends t.Props>(props: P, name?: string) => t.readonly(t.exact(t.type(props)), name)
export const nullable = <C extends t.Mixed>(codec: C) => t.union([codec, t.null])
export const list = <C extends t.Mixed>(codec: C) => t.readonlyArray(codec)

/** A codec that takes `fallback` where the writer, an older version, knew nothing of the property. */
export const sinceLater = <A>(codec: t.Type<A, unknown>, fallback: A) =>
  new t.Type<A, A, unknown>(
    codec.name,
    codec.is,
    (u, c) => (u === undefined ? t.success(fallback) : codec.validate(u, c)),
    t.identity,
  )

/** A finite number; JSON has no other. */
export const finite = new t.Type<number, number, unknown>(
  'finite number',
  (u): u is number => typeof u === 'number' && Number.isFinite(u),
  (u, c) => (typeof u === 'number' && Number.isFinite(u) ? t.success(u) : t.failure(u, c, 'must be a finite number')),
  t.identity,
)

/** A number from `min` to `max`, both included. */
export const finiteWithin = (min: number, max: number) =>
  new t.Type<number, number, unknown>(
    `number from ${min} to ${max}`,
    (u): u is number => typeof u === 'number' && u >= min && u <= max,
    (u, c) =>
      typeof u === 'number' && u >= min && u <= max
        ? t.success(u)
        : t.failure(u, c, `must be a number from ${min} to ${max}`),
    t.identity,
  )

export const Coordinates = record({ latitude: finiteWithin(-90, 90), longitude: finiteWithin(-180, 180) })
/** A place on Earth in degrees (WGS 84); north and east are positive. */
export type Coordinates = t.TypeOf<typeof Coordinates>

export const whole = new t.Type<number, number, unknown>(
  'whole number >= 0',
  (u): u is number => Number.isSafeInteger(u) && (u as number) >= 0,
  (u, c) =>
    Number.isSafeInteger(u) && (u as number) >= 0
      ? t.success(u as number)
      : t.failure(u, c, 'must be a whole number >= 0'),
  t.identity,
)

const idPattern = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/

/** Name of a server, stream or session. It becomes part of a NATS subject and of a path: no dots, no slashes. */
export const entityId = new t.Type<string, string, unknown>(
  'id',
  (u): u is string => typeof u === 'string' && idPattern.test(u),
  (u, c) =>
    typeof u === 'string' && idPattern.test(u)
      ? t.success(u)
      : t.failure(u, c, 'must be 1-64 letters, digits, "-" or "_", beginning with a letter or digit'),
  t.identity,
)

/** Base of something that can be asked over HTTP. */
export const httpUrl = new t.Type<string, string, unknown>(
  'http address',
  (u): u is string => isHttpUrl(u),
  (u, c) => (isHttpUrl(u) ? t.success(u) : t.failure(u, c, 'must be an http or https address')),
  t.identity,
)

const isHttpUrl = (u: unknown): u is string => typeof u === 'string' && /^https?:\/\/./.test(u) && URL.canParse(u)

/** A string literal union as a codec. */
export const oneOf = <const V extends readonly [string, string, ...string[]]>(...values: V) =>
  t.keyof(Object.fromEntries(values.map((v) => [v, null])) as { readonly [K in V[number]]: null })

export const ServerRef = record({ id: entityId, url: t.string })
/** A media server as others reach it: `url` is the base of its HTTP origin, without a slash at the end. */
export type ServerRef = t.TypeOf<typeof ServerRef>

/** Weight of each metric group in the stability score; they sum to 1. */
export const GroupWeights = t.readonly(t.record(t.string, finite))
