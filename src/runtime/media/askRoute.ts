import * as E from 'fp-ts/lib/Either.js'
import { request } from 'undici'
import type { ServerRef } from '../../events/index.js'
import type { NoticeBoard } from '../../media/edge/index.js'
import { Notice, SessionDocument, type Route } from '../../messaging/index.js'

const askRouteMs = 400

/** The control plane and the standby's edge are asked at once; whoever knows first is believed. Null: nobody answers. */
export async function askRoute(board: NoticeBoard, stream: string, standby: ServerRef | null): Promise<Route | null> {
  const answers = [
    board.ask(stream, askRouteMs).then((posted) => posted?.notice.route ?? null),
    ...(standby === null ? [] : [askStandby(stream, standby)]),
  ].map((answer) => answer.then((route) => route ?? Promise.reject(new Error('no answer'))))
  return Promise.any(answers).catch(() => null)
}

async function askStandby(stream: string, standby: ServerRef): Promise<Route | null> {
  try {
    const signal = AbortSignal.timeout(askRouteMs)
    const answer = await request(`${standby.url}/streams/${stream}/session`, { signal })
    const session = SessionDocument.decode(await answer.body.json())
    if (E.isLeft(session)) return null
    const notice = Notice.decode(JSON.parse(session.right.notice.payload))
    return E.isRight(notice) ? notice.right.route : null
  } catch {
    return null
  }
}
