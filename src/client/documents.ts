import type { EdgeMessage, Manifest, ManifestSegment, Notice, Route, SessionDocument } from '../messaging/codecs.js'

/**
 * Readers of what comes from outside. The io-ts codecs in messaging define these shapes; they are not used here so that
 * the client needs no packages at run time. `test/client/documents.test.ts` holds the two together.
 */
export type Read<T> =
  { readonly _tag: 'valid'; readonly value: T } | { readonly _tag: 'invalid'; readonly reason: string }

class Mismatch extends Error {}

type Fields = { readonly [key: string]: unknown }
type Reader<T> = (value: unknown, at: string) => T

const wrong = (at: string, wanted: string): never => {
  throw new Mismatch(`${at === '' ? 'the document' : at} must be ${wanted}`)
}

const fields: Reader<Fields> = (value, at) =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : wrong(at, 'an object')

const text: Reader<string> = (value, at) => (typeof value === 'string' ? value : wrong(at, 'a string'))
const finite: Reader<number> = (value, at) =>
  typeof value === 'number' && Number.isFinite(value) ? value : wrong(at, 'a finite number')
const whole: Reader<number> = (value, at) =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : wrong(at, 'a whole number >= 0')
const truth: Reader<boolean> = (value, at) => (typeof value === 'boolean' ? value : wrong(at, 'true or false'))
const nullable =
  <T>(read: Reader<T>): Reader<T | null> =>
  (value, at) =>
    value === null ? null : read(value, at)
const oneOf =
  <const V extends ReadonlyArray<string>>(...values: V): Reader<V[number]> =>
  (value, at) =>
    values.find((v) => v === value) ?? wrong(at, `one of ${values.join(', ')}`)

const idPattern = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/
const id: Reader<string> = (value, at) =>
  typeof value === 'string' && idPattern.test(value) ? value : wrong(at, 'an id (1-64 letters, digits, "-" or "_")')

const serverRef: Reader<Route['primary']> = (value, at) => {
  const f = fields(value, at)
  return { id: id(f['id'], `${at}.id`), url: text(f['url'], `${at}.url`) }
}

const route: Reader<Route> = (value, at) => {
  const f = fields(value, at)
  return {
    stream: id(f['stream'], `${at}.stream`),
    epoch: whole(f['epoch'], `${at}.epoch`),
    cutover: whole(f['cutover'], `${at}.cutover`),
    primary: serverRef(f['primary'], `${at}.primary`),
    standby: nullable(serverRef)(f['standby'], `${at}.standby`),
    previous: nullable(serverRef)(f['previous'], `${at}.previous`),
    sequence: whole(f['sequence'], `${at}.sequence`),
  }
}

const format: Reader<SessionDocument['format']> = (value, at) => {
  const f = fields(value, at)
  const rate = fields(f['frameRate'], `${at}.frameRate`)
  const segmentTicks = whole(f['segmentTicks'], `${at}.segmentTicks`)
  return {
    frameRate: { num: whole(rate['num'], `${at}.frameRate.num`), den: whole(rate['den'], `${at}.frameRate.den`) },
    gopFrames: whole(f['gopFrames'], `${at}.gopFrames`),
    segmentTicks: segmentTicks > 0 ? segmentTicks : wrong(`${at}.segmentTicks`, 'above 0'),
    width: nullable(whole)(f['width'], `${at}.width`),
    height: whole(f['height'], `${at}.height`),
    crf: finite(f['crf'], `${at}.crf`),
    preset: text(f['preset'], `${at}.preset`),
    sampleRate: f['sampleRate'] === 48000 ? 48000 : wrong(`${at}.sampleRate`, '48000'),
    channels: f['channels'] === 2 ? 2 : wrong(`${at}.channels`, '2'),
  }
}

const track: Reader<ManifestSegment['video']> = (value, at) => {
  const f = fields(value, at)
  return { sha256: text(f['sha256'], `${at}.sha256`), bytes: whole(f['bytes'], `${at}.bytes`) }
}

const manifestSegment: Reader<ManifestSegment> = (value, at) => {
  const f = fields(value, at)
  return {
    number: whole(f['number'], `${at}.number`),
    video: track(f['video'], `${at}.video`),
    audio: track(f['audio'], `${at}.audio`),
    origin: oneOf('encoded', 'copied')(f['origin'], `${at}.origin`),
    verified: truth(f['verified'], `${at}.verified`),
  }
}

/** More than any server keeps; a longer list is not one of ours. */
const segmentsMax = 4096

const manifest: Reader<Manifest> = (value, at) => {
  const f = fields(value, at)
  const segments = f['segments']
  if (!Array.isArray(segments) || segments.length > segmentsMax) return wrong('segments', 'a list of segments')
  return {
    stream: id(f['stream'], 'stream'),
    server: id(f['server'], 'server'),
    role: oneOf('primary', 'standby', 'retired', 'none')(f['role'], 'role'),
    epoch: nullable(whole)(f['epoch'], 'epoch'),
    segmentTicks: whole(f['segmentTicks'], 'segmentTicks'),
    live: nullable(whole)(f['live'], 'live'),
    oldest: nullable(whole)(f['oldest'], 'oldest'),
    encoding: truth(f['encoding'], 'encoding'),
    init: nullable<NonNullable<Manifest['init']>>((init, where) => {
      const tracks = fields(init, where)
      return { video: track(tracks['video'], `${where}.video`), audio: track(tracks['audio'], `${where}.audio`) }
    })(f['init'], 'init'),
    segments: segments.map((segment, index) => manifestSegment(segment, `segments[${index}]`)),
  }
}

const read = <T>(json: string, reader: Reader<T>): Read<T> => {
  try {
    return { _tag: 'valid', value: reader(JSON.parse(json), '') }
  } catch (error) {
    return { _tag: 'invalid', reason: error instanceof Error ? error.message : String(error) }
  }
}

export const readSessionDocument = (json: string): Read<SessionDocument> =>
  read(json, (value, at) => {
    const f = fields(value, at)
    return {
      stream: id(f['stream'], 'stream'),
      format: format(f['format'], 'format'),
      route: route(f['route'], 'route'),
      noticeKey: text(f['noticeKey'], 'noticeKey'),
      keyId: text(f['keyId'], 'keyId'),
    }
  })

export const readManifest = (json: string): Read<Manifest> => read(json, manifest)

/** The signed payload of a notice. */
export const readNotice = (json: string): Read<Notice> =>
  read(json, (value, at) => {
    const f = fields(value, at)
    return {
      route: route(f['route'], 'route'),
      issuedAt: finite(f['issuedAt'], 'issuedAt'),
      expiresAt: finite(f['expiresAt'], 'expiresAt'),
    }
  })

export const readEdgeMessage = (json: string): Read<EdgeMessage> =>
  read<EdgeMessage>(json, (value, at) => {
    const f = fields(value, at)
    switch (f['type']) {
      case 'welcome':
        return { type: 'welcome', edge: id(f['edge'], 'edge') }
      case 'refused':
        return { type: 'refused', reason: text(f['reason'], 'reason') }
      case 'notice': {
        const notice = fields(f['notice'], 'notice')
        return {
          type: 'notice',
          notice: {
            payload: text(notice['payload'], 'notice.payload'),
            signature: text(notice['signature'], 'notice.signature'),
            keyId: text(notice['keyId'], 'notice.keyId'),
          },
        }
      }
      default:
        return wrong('type', 'welcome, notice or refused')
    }
  })
