import type { IncomingMessage, ServerResponse } from 'node:http'
import type { HashedBytes, HeldSegment } from '../buffer/index.js'
import { ofTrack, tracksOf, type TrackName } from '../segment.js'
import { bytesAnswer, fenced, parseNumber, refusal, unlessKnown, write, type Answer } from './answers.js'
import type { OriginHost, OriginStream } from './host.js'
import { contentTypeOf, waitMsMax } from './segmentRoutes.js'

/** Numbers that are waited for, counted from the live one. */
const aheadMax = 4
/** A number this close below the live one may still be completed. */
const behindMax = 2
/** A primary that was suspended learns within milliseconds whether it still is one: less than a refusal costs a viewer. */
const confirmMsMax = 150

const path = /^\/streams\/([^/?]+)\/(?:([a-z][a-z0-9-]{0,63})\/(\d{1,16})\.m4s|pairs\/(\d{1,16}))(?:\?|$)/

/**
 * Numbered segments, fenced by epoch, answered without the framework: they are most of what an origin is asked for, and
 * routing and hooks would cost more than they do. Also the pairs that a standby copies: all tracks of a number in one
 * answer. Gives false for other paths, unanswered.
 */
export function createSegmentHandler(
  host: OriginHost,
): (request: IncomingMessage, response: ServerResponse) => boolean {
  return (request, response) => {
    const { method, url = '' } = request
    if (method !== 'GET' && method !== 'HEAD') return false
    const [, name, track, ofTrack, ofPair] = path.exec(url) ?? []
    const number = parseNumber(ofTrack ?? ofPair ?? '')
    if (name === undefined || number === null) return false
    const asked = ofPair === undefined ? (track ?? '') : pair
    const fromViewer = request.headers['segue-peer'] === undefined
    const sendAnswer = (answer: Answer): void => {
      if (response.destroyed) return
      write(response, unlessKnown(answer, request.headers['if-none-match']), method === 'GET')
    }
    const answer = answerTo({ host, name, asked, number, fromViewer, response })
    if ('status' in answer) sendAnswer(answer)
    else void answer.then(sendAnswer)
    return true
  }
}

/** Stands for all tracks; no track is called so. */
const pair = '*'
type Asked = TrackName

interface Question {
  readonly host: OriginHost
  readonly name: string
  readonly asked: Asked
  readonly number: number
  readonly fromViewer: boolean
  readonly response: ServerResponse
}

/** At once, unless the number has to be waited for. */
function answerTo(question: Question): Answer | Promise<Answer> {
  const { host, name, number } = question
  host.checkSuspension()
  const stream = host.streamOf(name)
  if (stream === null) {
    const route = host.routeOf(name)
    if (route !== null && number >= route.cutover && !namedIn(route, host.server)) return fenced(route)
    return refusal(404, 'unknown-stream', `no stream ${name} here`)
  }
  if (stream.authority.of(number) !== 'unconfirmed') return answerFrom(stream, question)
  return stream.authority.settled(number, confirmMsMax).then(() => answerFrom(stream, question))
}

function answerFrom(stream: OriginStream, question: Question): Answer | Promise<Answer> {
  const { number, asked, fromViewer } = question
  if (asked !== pair && !isTrack(stream, asked)) {
    return refusal(404, 'not-found', `stream ${stream.stream} has no track ${asked}`)
  }
  const barred = bar(stream, number)
  if (barred !== null) return barred
  if (fromViewer) stream.onViewerRequest(number)
  const present = stream.buffer.get(number)
  if (present !== null) return deliver(stream, asked, present)
  const live = stream.buffer.live()
  const finished = stream.role() === 'retired' && !stream.encoding()
  if (finished || (live !== null && number < live - behindMax)) {
    const oldest = stream.buffer.oldest()
    return refusal(404, 'gone', `segment ${number} is not kept here any more`, { live, oldest })
  }
  return live !== null && number > live + aheadMax ? notYet(stream, number) : answerLater(stream, question)
}

async function answerLater(stream: OriginStream, { host, asked, number, response }: Question): Promise<Answer> {
  const segment = await waitUnlessClosed(stream, asked, number, response)
  host.checkSuspension()
  await stream.authority.settled(number, confirmMsMax)
  return bar(stream, number) ?? (segment === null ? notYet(stream, number) : deliver(stream, asked, segment))
}

const namedIn = (route: NonNullable<ReturnType<OriginHost['routeOf']>>, server: string): boolean =>
  route.primary.id === server || route.standby?.id === server

const waitUnlessClosed = async (
  stream: OriginStream,
  asked: Asked,
  number: number,
  response: ServerResponse,
): Promise<HeldSegment | null> => {
  const gone = new AbortController()
  const abort = (): void => gone.abort()
  response.once('close', abort)
  try {
    if (asked !== pair) return await stream.buffer.waitFor(number, waitMsMax(stream), gone.signal)
    // A standby that follows wants to know at once when a number is left out.
    await stream.buffer.waitForLive(number, waitMsMax(stream), gone.signal)
    return stream.buffer.get(number)
  } finally {
    response.off('close', abort)
  }
}

/** Refuses numbers that this server must not speak for. */
const bar = (stream: OriginStream, number: number): Answer | null => {
  const verdict = stream.routes.verdict(number)
  if (verdict._tag === 'Fenced') return fenced(verdict.route, verdict.from)
  if (stream.authority.of(number) !== 'unconfirmed') return null
  const message = 'this server was suspended and asks whether it is still primary'
  return refusal(503, 'authority-unconfirmed', message, {}, ['retry-after', '0'])
}

const notYet = (stream: OriginStream, number: number): Answer =>
  refusal(404, 'not-yet', `segment ${number} is not here yet`, { live: stream.buffer.live() }, ['retry-after', '1'])

const deliver = (stream: OriginStream, asked: Asked, segment: HeldSegment): Answer => {
  if (asked === pair) return pairAnswer(stream, segment)
  const bytes = ofTrack(segment, asked)
  if (bytes === null) return refusal(404, 'not-found', `stream ${stream.stream} has no track ${asked}`)
  const verdict = stream.routes.verdict(segment.number)
  const epoch = verdict._tag === 'Serve' ? verdict.epoch : null
  const confirmed = epoch !== null && stream.authority.of(segment.number) === 'confirmed'
  return bytesAnswer(contentTypeOf(asked), bytes, [
    ...(confirmed ? ['segue-epoch', String(epoch)] : []),
    ...['segue-role', stream.role(), 'cache-control', 'public, max-age=3600, immutable'],
  ])
}

/** Video, audio, then the others; the headers say how long each is and must hash to, and which init segment they belong to. */
const pairAnswer = (stream: OriginStream, segment: HeldSegment): Answer => {
  const others = Object.entries(segment.others).map(([name, bytes]) => `${name}=${promise(bytes)}`)
  return {
    status: 200,
    headers: [
      ...['content-type', 'application/octet-stream', 'cache-control', 'no-store'],
      ...['segue-video', promise(segment.video), 'segue-audio', promise(segment.audio)],
      ...(others.length === 0 ? [] : ['segue-others', others.join(', ')]),
      ...['segue-init', stream.buffer.init()?.combined.sha256 ?? ''],
    ],
    body: Buffer.concat(tracksOf(segment).map(([, { bytes }]) => bytes)),
  }
}

const promise = ({ bytes, sha256 }: HashedBytes): string => `${sha256} ${bytes.length}`

const isTrack = ({ buffer }: OriginStream, name: TrackName): boolean =>
  name === 'video' || name === 'audio' || buffer.others.includes(name)
