import * as E from 'fp-ts/lib/Either.js'
import { describeErrors } from '../../events/index.js'
import {
  entityOf,
  isNewer,
  Notice,
  RouteAnswer,
  sessionDocumentOf,
  subjects,
  type Route,
  type SessionDocument,
  type Transport,
  type Unsubscribe,
} from '../../messaging/index.js'

/** A notice as it was taken down: shape and validity checked, signature not (viewers do that). */
export interface PostedNotice {
  readonly answer: RouteAnswer
  readonly notice: Notice
}

/** The newest notice of every stream, from the broadcast or asked for. */
export interface NoticeBoard {
  readonly newest: (stream: string) => PostedNotice | null
  /** The newest route of every stream that is known here. */
  readonly routes: () => ReadonlyArray<Route>
  /** The newest one, or what the control plane answers when there is none yet. Null: nobody knows. */
  readonly find: (stream: string) => Promise<PostedNotice | null>
  /** Asks the control plane even when a notice is here. */
  readonly ask: (stream: string, timeoutMs: number) => Promise<PostedNotice | null>
  readonly session: (stream: string) => SessionDocument | null
  /** Public key (SPKI DER, base64) that the control plane signs with, or has signed with lately. */
  readonly keyOf: (keyId: string) => string | undefined
  /** Called for every notice whose route is newer than the one before; repeats are not told. */
  readonly onNewer: (listener: (posted: PostedNotice) => void) => () => void
  readonly close: () => Promise<void>
}

export interface NoticeBoardOptions {
  readonly transport: Transport
  readonly nowMs?: () => number
  readonly streamsMax?: number
  /** Called with the reason for each message that is no valid notice. */
  readonly onInvalid?: (subject: string, reason: string, data: unknown) => void
}

const askTimeoutMs = 500
/** Viewers who make up names of streams must not keep the broker busy with them. */
const questionsMax = 64

/** Subscribes to all notices. */
export function createNoticeBoard(options: NoticeBoardOptions): NoticeBoard {
  const { transport, nowMs = () => Date.now(), streamsMax = 10_000 } = options
  const posted = new Map<string, PostedNotice>()
  const asking = new Map<string, Promise<PostedNotice | null>>()
  const keys = new Map<string, string>()
  const listeners = new Set<(posted: PostedNotice) => void>()

  const take = (subject: string, data: unknown): PostedNotice | null => {
    const stream = entityOf(subject)
    const decoded = decodeNotice(stream, data, nowMs())
    if (E.isLeft(decoded)) {
      options.onInvalid?.(subject, decoded.left, data)
      return null
    }
    const fresh = decoded.right
    rememberKey(keys, fresh.answer)
    const present = posted.get(stream)
    if (present === undefined && posted.size >= streamsMax) return null
    if (isNewer(fresh.notice.route, present?.notice.route ?? null)) {
      posted.set(stream, fresh)
      for (const listener of [...listeners]) listener(fresh)
    } else if (present !== undefined && isRepeat(fresh, present)) posted.set(stream, fresh)
    return posted.get(stream) ?? null
  }

  const ask = (stream: string, timeoutMs: number): Promise<PostedNotice | null> => {
    const running = asking.get(stream)
    if (running !== undefined) return running
    const subject = subjects.route(stream)
    const question = transport
      .request(subject, {}, timeoutMs)
      .then((data) => take(subject, data))
      .catch(() => null)
      .finally(() => asking.delete(stream))
    asking.set(stream, question)
    return question
  }

  const subscription: Unsubscribe = transport.subscribe(subjects.noticeAll, (message) => {
    take(message.subject, message.data)
  })

  return {
    newest: (stream) => posted.get(stream) ?? null,
    routes: () => [...posted.values()].map(({ notice }) => notice.route),
    find: async (stream) => posted.get(stream) ?? (asking.size < questionsMax ? await ask(stream, askTimeoutMs) : null),
    ask,
    session(stream) {
      const found = posted.get(stream)
      return found === undefined ? null : sessionDocumentOf(stream, found.answer)
    },
    keyOf: (keyId) => keys.get(keyId),
    onNewer(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    close: () => subscription.close(),
  }
}

/** The same route again with a later validity: the newer signature is the one to hand to whoever comes next. */
const isRepeat = (fresh: PostedNotice, present: PostedNotice): boolean =>
  sameRoute(fresh.notice.route, present.notice.route) && fresh.notice.expiresAt > present.notice.expiresAt

const sameRoute = (a: Route, b: Route): boolean => a.epoch === b.epoch && a.sequence === b.sequence

const decodeNotice = (stream: string, data: unknown, nowMs: number): E.Either<string, PostedNotice> => {
  const answer = RouteAnswer.decode(data)
  if (E.isLeft(answer)) return E.left(describeErrors(answer.left))
  let payload: unknown
  try {
    payload = JSON.parse(answer.right.notice.payload)
  } catch {
    return E.left('notice.payload: not JSON')
  }
  const notice = Notice.decode(payload)
  if (E.isLeft(notice)) return E.left(`notice.payload.${describeErrors(notice.left)}`)
  if (notice.right.route.stream !== stream) return E.left(`the notice is about stream ${notice.right.route.stream}`)
  if (notice.right.expiresAt <= nowMs) return E.left(`the notice expired ${nowMs - notice.right.expiresAt} ms ago`)
  return E.right({ answer: answer.right, notice: notice.right })
}

const keysMax = 8

/** The broker's word is taken for them, as for the notice: viewers look at the signatures. */
const rememberKey = (keys: Map<string, string>, { notice, noticeKey }: RouteAnswer): void => {
  if (keys.has(notice.keyId)) return
  keys.set(notice.keyId, noticeKey)
  for (const oldest of keys.keys()) {
    if (keys.size <= keysMax) return
    keys.delete(oldest)
  }
}
