import type { ServerRef } from '../../events/index.js'
import type { Assignment, Route, Task } from '../../messaging/index.js'
import type { Effect } from '../effects.js'
import { cutoverDeadlineKey, drainDeadlineKey, retryKey } from './deadlines.js'
import { isFailed, serverOf, type StreamState } from './state.js'

/** Everything the stream wants of servers, viewers and the clock, from its state alone. */
export function outstandingOf(state: StreamState): ReadonlyArray<Effect> {
  const route = routeOf(state)
  if (route === null) return []
  const assignments = assignmentsOf(state, route)
  return [
    ...assignments.map((assignment): Effect => ({ type: 'assign', key: `assign:${assignment.server}`, assignment })),
    { type: 'announce', key: 'announce', route },
    ...deadlinesOf(state),
  ]
}

/** Who viewers are to be sent to. From the choice of K on it names the coming epoch. */
export function routeOf(state: StreamState): Route | null {
  const { route, handover, standby, retiring, sequence, stream } = state
  if (route === null) return null
  if (handover?.cutover && handover.phase === 'cutting') {
    const { epoch, number: cutover } = handover.cutover
    const fallback = handover.emergency || isFailed(state, handover.from.id) ? null : handover.from
    return { stream, epoch, cutover, primary: handover.target, standby: fallback, previous: handover.from, sequence }
  }
  return {
    stream,
    epoch: route.epoch,
    cutover: route.cutover,
    primary: route.primary,
    standby: standby?.server ?? null,
    previous: retiring?.server ?? null,
    sequence,
  }
}

type Part = Pick<Assignment, 'role' | 'encode' | 'peer' | 'tasks'>

function assignmentsOf(state: StreamState, route: Route): ReadonlyArray<Assignment> {
  const { opened, policy } = state
  if (opened === null) return []
  const assignments: Assignment[] = []
  for (const { server, part } of partsOf(state).values()) {
    const known = serverOf(state, server.id)
    if (known === undefined || known.standing === 'failed') continue
    assignments.push({
      stream: state.stream,
      server: server.id,
      bootId: known.bootId,
      sequence: state.sequence,
      format: opened.format,
      feedUrl: opened.feedUrl,
      bufferSegments: policy.bufferSegments,
      backfillMs: policy.backfillMs,
      mode: state.standby?.mode ?? policy.standby,
      route,
      role: part.role,
      encode: part.encode,
      peer: part.peer,
      tasks: part.tasks,
    })
  }
  return assignments
}

function partsOf(state: StreamState): ReadonlyMap<string, { readonly server: ServerRef; readonly part: Part }> {
  const parts = new Map<string, { readonly server: ServerRef; readonly part: Part }>()
  const { route, standby, retiring, handover, released } = state
  if (route === null) return parts
  const primary = route.primary
  const set = (server: ServerRef, part: Part): void => {
    parts.set(server.id, { server, part })
  }
  for (const server of released) set(server, { role: 'none', encode: false, peer: null, tasks: [] })
  if (retiring !== null) set(retiring.server, retirementOf(state))
  if (standby !== null) {
    const fill: Task[] = standby.synchronized ? [] : [{ type: 'synchronize', order: standby.order }]
    set(standby.server, { role: 'standby', encode: standby.mode === 'hot', peer: primary, tasks: fill })
  }
  if (handover !== null && handover.phase !== 'settling') {
    set(handover.target, { role: 'standby', encode: true, peer: primary, tasks: preparationOf(state) })
  }
  set(primary, { role: 'primary', encode: true, peer: null, tasks: [] })
  return parts
}

function preparationOf(state: StreamState): ReadonlyArray<Task> {
  const { handover } = state
  if (handover === null) return []
  const activate: Task = { type: 'activate', order: handover.order }
  if (handover.cutover === null) return [activate]
  const { epoch, number: cutover } = handover.cutover
  return [activate, { type: 'cutover', order: cutoverDeadlineKey(handover), epoch, cutover }]
}

function retirementOf(state: StreamState): Part {
  const { retiring, handover, policy, route } = state
  const order = drainDeadlineKey(state)
  const peer = route?.primary ?? null
  if (retiring === null || order === null || handover?.drained === true) {
    return { role: 'retired', encode: false, peer, tasks: [] }
  }
  const cutover = route?.cutover ?? 0
  const drain: Task = { type: 'drain', order, epoch: retiring.epoch, cutover, deadlineMs: policy.deadlines.drainMs }
  // Numbers below K may still be in its encoder when the other one reaches K; the drain ends the encoder.
  return { role: 'retired', encode: true, peer, tasks: [drain] }
}

function deadlinesOf(state: StreamState): ReadonlyArray<Effect> {
  const { handover, standby, retiring, unmet } = state
  const deadlines: Effect[] = []
  const add = (key: string, at: number, step: Extract<Effect, { readonly type: 'deadline' }>['step']): void => {
    deadlines.push({ type: 'deadline', key, at, step })
  }
  if (handover?.phase === 'preparing') add(handover.order, handover.deadlineAt, 'activate')
  if (handover?.phase === 'cutting' && handover.cutover !== null) {
    add(cutoverDeadlineKey(handover), handover.cutover.deadlineAt, 'cutover')
  }
  const drain = drainDeadlineKey(state)
  // It also bounds how long the viewers' own measurements are waited for.
  const settled = handover === null || (handover.drained && handover.viewersMeasured)
  if (!settled && retiring !== null && retiring.deadlineAt !== null && drain !== null) {
    add(drain, retiring.deadlineAt, 'drain')
  }
  if (standby !== null && standby.deadlineAt !== null && !standby.synchronized) {
    add(standby.order, standby.deadlineAt, 'synchronize')
  }
  const again = retryKey(state)
  if (unmet !== null && unmet.retryAt !== null && again !== null) add(again, unmet.retryAt, 'retry')
  return deadlines
}
