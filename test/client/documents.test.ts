import * as E from 'fp-ts/lib/Either.js'
import fc from 'fast-check'
import * as t from 'io-ts'
import {
  readEdgeMessage,
  readManifest,
  readNotice,
  readSessionDocument,
  readTicket,
} from '../../src/client/documents.js'
import {
  EdgeMessage,
  Manifest,
  ManifestSegment,
  ManifestTrack,
  Notice,
  SessionDocument,
  Ticket,
} from '../../src/messaging/codecs.js'
import { ViewerWorld } from '../support/viewerWorld.js'

const world = new ViewerWorld()
const samples = {
  session: world.sessionDocument(),
  notice: world.notice(world.handover(5)),
  manifest: JSON.parse(new TextDecoder().decode(world.a.answer('/streams/news/manifest.json')?.body)) as object,
  ticket: JSON.parse(world.ticket().payload) as object,
  edge: { type: 'notice', notice: world.signed(world.notice(world.route)) },
}

/** Paths of all leaves of a document. */
const pathsIn = (value: unknown, path: ReadonlyArray<string> = []): ReadonlyArray<ReadonlyArray<string>> =>
  typeof value === 'object' && value !== null
    ? [path, ...Object.entries(value).flatMap(([key, inner]) => pathsIn(inner, [...path, key]))]
    : [path]

const withValue = (document: unknown, path: ReadonlyArray<string>, value: unknown): unknown => {
  const [key, ...rest] = path
  if (key === undefined) return value
  if (Array.isArray(document)) return document.map((v, i) => (String(i) === key ? withValue(v, rest, value) : v))
  const fields = document as Record<string, unknown>
  if (value === undefined && rest.length === 0) {
    return Object.fromEntries(Object.entries(fields).filter(([name]) => name !== key))
  }
  return { ...fields, [key]: withValue(fields[key], rest, value) }
}

const values = fc.constantFrom<unknown>(
  ...[null, undefined, '', 'x', 'a.b', -1, 0, 0.5, 1e300, true, [], {}, 'primary', 'welcome', 'none', 48_000, 2],
)

const only = <P extends t.Props>(type: t.TypeC<P>) => t.exact(type)
const { stream, live, oldest } = Manifest.type.type.props
const hashed = only(t.type({ sha256: ManifestTrack.type.type.props.sha256 }))
const { number } = ManifestSegment.type.type.props
/** What of a manifest and of a session document the client looks at. */
const needed = {
  manifest: only(
    t.type({ stream, live, oldest, segments: t.array(only(t.type({ number, video: hashed, audio: hashed }))) }),
  ),
  session: only(
    t.type({
      ...SessionDocument.type.type.props,
      format: only(t.type({ segmentTicks: SessionDocument.type.type.props.format.type.type.props.segmentTicks })),
    }),
  ),
}

describe.each([
  ['session documents', samples.session, readSessionDocument, needed.session],
  ['notices', samples.notice, readNotice, Notice],
  ['tickets', samples.ticket, readTicket, Ticket],
  ['manifests', samples.manifest, readManifest, needed.manifest],
  ['messages of an edge', samples.edge, readEdgeMessage, EdgeMessage],
] as const)('the reader of %s', (_, sample, read, codec) => {
  test('reads what the codec reads, as far as the client needs it, and nothing else', () => {
    const paths = fc.constantFrom(...pathsIn(sample))
    fc.assert(
      fc.property(paths, values, (path, value) => {
        const json = JSON.stringify(withValue(sample, path, value) ?? null)
        const decoded: E.Either<unknown, unknown> = codec.decode(JSON.parse(json))
        const result = read(json)
        const readable = result._tag === 'valid'
        // A segment without length is refused here already, because everything is divided by it.
        if (E.isRight(decoded) && json.includes('"segmentTicks":0')) return
        expect({ json, readable }).toEqual({ json, readable: E.isRight(decoded) })
        if (E.isRight(decoded) && readable) expect(result.value).toEqual(decoded.right)
      }),
      { numRuns: 500 },
    )
    expect(read(JSON.stringify(sample))).toMatchObject({ _tag: 'valid' })
  })

  test('says where a document is wrong', () => {
    expect(read('{')).toMatchObject({ _tag: 'invalid' })
    expect(read('[]')).toEqual({ _tag: 'invalid', reason: 'the document must be an object' })
  })
})
