import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import * as E from 'fp-ts/lib/Either.js'
import { checkFfmpeg } from '../media/ffmpegBinary.js'
import { createFeedHandler } from '../media/feed/index.js'
import { warmUpFfmpeg } from '../media/ffmpeg/process.js'
import type { MediaTicks, StreamFormat } from '../media/format.js'
import {
  beginningAfter,
  feedSize,
  formatName,
  ingestError,
  makeSlate,
  nameOf,
  parseSource,
  probeSource,
  type ContributionFacts,
  slateFile,
  type IngestError,
  type KeptSlate,
  type PictureSize,
  type Source,
  type SourceFacts,
} from '../media/ingest/index.js'
import { FeedKeeper } from './feedKeeper.js'
import { journalOf, lockFeed } from './ingestFolder.js'

export type IngestState =
  | { readonly type: 'onAir'; readonly url: string; readonly width: number; readonly height: number }
  | { readonly type: 'sourceLost'; readonly reason: string }
  | { readonly type: 'sourceRestored'; readonly afterMs: number }
  | { readonly type: 'notice'; readonly message: string }
  /** The partner has the stream on air, and its feed is given out here as well. */
  | { readonly type: 'following' }
  /** The partner is lost: from here on the feed is given out here. */
  | { readonly type: 'tookOver'; readonly reason: string }
  | { readonly type: 'closed' }

export interface IngestOptions {
  readonly stream: string
  /** `testcard` (the default), a file, or an http(s), rtmp or srt address; see `parseSource`. */
  readonly source?: string
  readonly format: StreamFormat
  /** 0 or left out: any free port. */
  readonly port?: number
  /** Address to listen on; default 127.0.0.1. */
  readonly host?: string
  /** Where to keep the last seconds, so that a restarted ingest goes on with the same feed; left out: they are not kept. */
  readonly dataDir?: string
  readonly onState?: (state: IngestState) => void
  readonly onSourceLost?: (reason: string) => void
  readonly onSourceRestored?: (afterMs: number) => void
  /**
   * Base address of another ingest that has the same contribution and names this one as its partner. One of them is on
   * air; the other one gives out the same bytes, and goes on with its own source when the first one is lost.
   */
  readonly partnerUrl?: string
  /** Silence of the partner after which its feed is gone on with; default 500. */
  readonly takeOverMs?: number
  /** Asked before that; false when the partner is known to be on air. Default: nobody knows. */
  readonly mayTakeOver?: () => Promise<boolean>
  /** Default 1000. */
  readonly noMediaMsMax?: number
  /** How much of the feed is kept; default 30 s. */
  readonly keepMs?: number
  readonly backlogBytesMax?: number
  /** Unix time in ms that never steps back or leaps; default: the clock at the start plus the monotonic clock. */
  readonly nowMs?: () => number
}

export interface IngestInfo extends ContributionFacts, PictureSize {
  readonly stream: string
  readonly source: string
  readonly format: StreamFormat
  readonly liveTicks: MediaTicks | null
}

export interface Ingest {
  /** Base address for encoders: the feed is at `<url>/feed/<stream>`. */
  readonly url: string
  readonly info: () => IngestInfo
  /** Whether what is given out comes from here, not from the partner. */
  readonly isOnAir: () => boolean
  /** Lets the partner have the stream, which is on air there as well. */
  readonly stepDown: () => Promise<void>
  readonly close: () => Promise<void>
}

/** What `startIngest` rejects with. */
export class IngestStartError extends Error {
  readonly _tag: IngestError['_tag']
  readonly detail: ReadonlyArray<string>

  constructor({ _tag, message, detail }: IngestError) {
    super(message)
    this.name = 'IngestStartError'
    this._tag = _tag
    this.detail = detail
  }
}

const orThrow = <A>(result: E.Either<IngestError, A>): A => {
  if (E.isLeft(result)) throw new IngestStartError(result.left)
  return result.right
}

const steadyClock = (): number => performance.timeOrigin + performance.now()

const listen = (server: Server, port: number, host: string): Promise<AddressInfo> =>
  new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why = error.code === 'EADDRINUSE' ? 'another program uses it' : error.message
      const advice = error.code === 'EADDRINUSE' ? ': choose another port' : ''
      reject(new IngestStartError(ingestError('AddressInUse', `cannot listen on ${host}:${port}: ${why}${advice}`)))
    })
    server.listen(port, host, () => {
      const address = server.address()
      if (address === null || typeof address === 'string') reject(new Error('the server has no TCP address'))
      else resolve(address)
    })
  })

const closed = (server: Server): Promise<void> => {
  server.closeAllConnections()
  return new Promise((resolve) => server.close(() => resolve()))
}

/** Facts about the source, as far as it can be asked; an error only where waiting would not help. */
const factsAbout = async (source: Source): Promise<SourceFacts | null> => {
  if (source.type === 'file') return orThrow(await probeSource(source.path))
  if (source.type !== 'http') return null
  const facts = await probeSource(source.url)
  if (E.isRight(facts)) return facts.right
  const { _tag, message } = facts.left
  if (_tag === 'FfmpegMissing' || /invalid data|holds no video/i.test(message)) throw new IngestStartError(facts.left)
  return null
}

interface Prepared extends KeptSlate {
  readonly facts: SourceFacts | null
}

/** Makes sure that ffmpeg works, asks about the source and makes the slate: all that takes its time. */
const prepared = async ({ dataDir, stream, format }: IngestOptions, source: Source): Promise<Prepared> => {
  const ffmpeg = await checkFfmpeg()()
  if (E.isLeft(ffmpeg)) {
    const tag = ffmpeg.left._tag === 'FfmpegMissing' ? 'FfmpegMissing' : 'FfmpegUnusable'
    throw new IngestStartError(ingestError(tag, ffmpeg.left.message))
  }
  const [facts] = await Promise.all([factsAbout(source), warmUpFfmpeg()])
  const size = feedSize(format, facts)
  const slate = orThrow(await makeSlate(format, size))
  if (dataDir !== undefined) slateFile(dataDir, stream).save(formatName(format), { slate, size })
  return { facts, size, slate }
}

/** What an earlier run had prepared, to go on at once; null when it left nothing, and for a file, whose facts are needed. */
const recalled = ({ dataDir, stream, format }: IngestOptions, source: Source): Prepared | null => {
  const kept =
    dataDir === undefined || source.type === 'file' ? null : slateFile(dataDir, stream).load(formatName(format))
  return kept === null ? null : { ...kept, facts: null }
}

/**
 * Starts the feed of one stream and serves it over HTTP. Resolves when media is on air: the source's, or the slate's
 * while a network source is not there yet.
 * @throws IngestStartError when the source cannot be used, ffmpeg is missing, or the address or the feed is in use
 */
export const startIngest = async (options: IngestOptions): Promise<Ingest> => {
  const { stream, dataDir, onState } = options
  const source = orThrow(parseSource(options.source ?? 'testcard'))
  const lock = dataDir === undefined ? null : orThrow(await lockFeed({ dataDir, stream, onNotice: noticeTo(onState) }))
  const open: Openings = lock === null ? [] : [() => lock.release()]
  try {
    const opened = await start(options, source, open)
    return { ...opened, close: () => closeAll(open) }
  } catch (error) {
    await closeAll(open)
    throw error
  }
}

/** How to close what is open, in the order in which it was opened. */
type Openings = (() => void | Promise<void>)[]

const closeAll = async (open: Openings): Promise<void> => {
  for (let close = open.pop(); close !== undefined; close = open.pop()) await close()
}

const noticeTo =
  (onState: IngestOptions['onState']) =>
  (message: string): void =>
    onState?.({ type: 'notice', message })

const start = async (options: IngestOptions, source: Source, open: Openings): Promise<Omit<Ingest, 'close'>> => {
  const { stream, format, dataDir, host = '127.0.0.1', nowMs = steadyClock, onState, partnerUrl = null } = options
  const onNotice = noticeTo(onState)
  const journal = dataDir === undefined ? null : journalOf({ dataDir, stream, onNotice })
  const beginning = () => beginningAfter(journal?.load() ?? E.right(null), format, nowMs())
  const { continued } = orThrow(beginning())
  const { facts, size, slate } =
    (continued === null ? null : recalled(options, source)) ?? (await prepared(options, source))
  if (!slate.withText) onNotice('ffmpeg cannot draw text (no drawtext filter or no font): pictures come without')
  const server = createServer()
  const { port } = await listen(server, options.port ?? 0, host)
  open.push(() => onState?.({ type: 'closed' }))
  open.push(() => closed(server))
  const urlHost = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host
  const url = `http://${urlHost}:${port}`
  const keeper = new FeedKeeper({
    ...{ stream, format, partnerUrl, journal, beginning },
    ...(options.keepMs === undefined ? {} : { keepMs: options.keepMs }),
    takeOverMs: options.takeOverMs ?? 500,
    mayTakeOver: options.mayTakeOver ?? (() => Promise.resolve(true)),
    contribution: {
      ...{ source, format, size, facts, slate, nowMs },
      noMediaMsMax: options.noMediaMsMax ?? 1_000,
      onSourceLost: (reason) => {
        onState?.({ type: 'sourceLost', reason })
        options.onSourceLost?.(reason)
      },
      onSourceRestored: (afterMs) => {
        onState?.({ type: 'sourceRestored', afterMs })
        options.onSourceRestored?.(afterMs)
      },
    },
    cutReaders: () => server.closeAllConnections(),
    onChange: (state) => onState?.(state),
  })
  open.push(() => keeper.close())
  const info = (): IngestInfo => ({
    ...{ stream, source: nameOf(source), format },
    ...size,
    ...keeper.facts(),
    liveTicks: keeper.liveTicks,
  })
  const handle = createFeedHandler({
    feedOf: (name) => (name === stream ? keeper.published(() => ({ ...info() })) : undefined),
    ...(options.backlogBytesMax === undefined ? {} : { backlogBytesMax: options.backlogBytesMax }),
  })
  server.on('request', (request, response) => {
    if (handle(request, response)) return
    response.writeHead(404, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ error: 'not-found', message: `feeds are at /feed/<stream>, as in /feed/${stream}` }))
  })
  const ready = await keeper.start()
  if (E.isLeft(ready)) throw new IngestStartError(ready.left)
  onState?.({ type: 'onAir', url, ...size })
  return { url, info, isOnAir: () => keeper.isOnAir(), stepDown: () => keeper.stepDown() }
}
