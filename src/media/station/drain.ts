import { subjects } from '../../messaging/index.js'
import { factMessage, type PublishFact } from '../edge/index.js'
import type { DrainControl, DrainProgress } from '../origin/index.js'
import type { Station } from './station.js'

/** How long a drain may take when nobody says otherwise. */
export const drainMsUsual = 30_000

export interface DrainOptions {
  readonly server: string
  readonly bootId: string
  readonly station: Pick<Station, 'streams'>
  readonly viewers: () => number
  readonly publishFact: PublishFact
  readonly nowMs: () => number
  readonly deadlineMsDefault?: number
}

/** Draining a server: it is not ready any more, and the control plane is asked to move its streams away. */
export function createDrain(options: DrainOptions): DrainControl {
  const { server, bootId, station, viewers, publishFact, nowMs, deadlineMsDefault = drainMsUsual } = options
  let current: { readonly since: number; readonly deadlineAt: number } | null = null

  const progress = (): DrainProgress => {
    const streams = station.streams()
    const busy = streams.some((stream) => stream.role() === 'primary' || stream.draining())
    return {
      draining: current !== null,
      since: current?.since ?? null,
      deadlineAt: current?.deadlineAt ?? null,
      streams: streams.map((stream) => ({ stream: stream.stream, role: stream.role() })),
      viewers: viewers(),
      done: current !== null && !busy,
    }
  }

  return {
    progress,
    start(by, deadlineMs) {
      const at = nowMs()
      const repeated = current !== null
      const since = current?.since ?? at
      current = { since, deadlineAt: at + (deadlineMs ?? deadlineMsDefault) }
      const payload = { type: 'DrainRequested', data: { by, bootId } } as const
      if (!repeated) publishFact(subjects.health(server), factMessage(since, payload, server, bootId))
      return progress()
    },
    cancel(by) {
      if (current === null) return progress()
      current = null
      const payload = { type: 'DrainCancelled', data: { by, bootId } } as const
      publishFact(subjects.health(server), factMessage(nowMs(), payload, server, bootId))
      return progress()
    },
  }
}
