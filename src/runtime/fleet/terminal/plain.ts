import type { ServerStatus, StreamStatus } from '../../control/status.js'
import { grouped, percent, seconds, shortTime, timeOfDay } from '../../amounts.js'
import type { FleetView } from './view.js'

/** What has been told already. */
export interface PlainState {
  /** Of all notes that there have been. */
  readonly notes: number
  readonly steps: Readonly<Record<string, number>>
  readonly standings: Readonly<Record<string, string>>
  readonly places: Readonly<Record<string, string>>
  readonly stale: boolean
  readonly summaryAt: number
}

export const plainStart = (at: number): PlainState => ({
  notes: 0,
  steps: {},
  standings: {},
  places: {},
  stale: false,
  summaryAt: at,
})

const summaryEveryMs = 5_000

/** For a terminal that cannot be redrawn: lines for what is new since the last view, and a summary now and then. Pure. */
export function plainLines(
  state: PlainState,
  view: FleetView,
): { readonly state: PlainState; readonly lines: ReadonlyArray<string> } {
  const { status, at } = view
  const told = Math.max(0, view.notes.length - (view.notesTotal - state.notes))
  const notes = view.notes.slice(told).map((note) => ({ at: note.at, text: note.text }))
  const stale = view.staleMs !== null
  const staleness =
    stale === state.stale ? [] : [now(view, stale ? 'the control plane is away' : 'the control plane is back')]
  const steps = (status?.handovers ?? []).flatMap((record) =>
    record.steps.slice(state.steps[record.id] ?? 0).map((step) => ({
      at: record.requestedAt + step.atMs,
      text: `handover ${record.id}  +${shortTime(step.atMs)}  ${step.name}${step.detail === '' ? '' : `: ${step.detail}`}`,
    })),
  )
  const servers = (status?.servers ?? []).flatMap((server) => standingChange(state, server, view))
  const streams = (status?.streams ?? []).flatMap((stream) => placeChange(state, stream, view))
  const due = view.phase === 'running' && at - state.summaryAt >= summaryEveryMs
  const lines = [...notes, ...staleness, ...servers, ...streams, ...steps]
    .toSorted((a, b) => a.at - b.at)
    .map((line) => `${timeOfDay(line.at)}  ${line.text}`)
  return {
    state: {
      notes: view.notesTotal,
      steps: { ...state.steps, ...Object.fromEntries((status?.handovers ?? []).map((h) => [h.id, h.steps.length])) },
      standings: { ...state.standings, ...Object.fromEntries((status?.servers ?? []).map((s) => [s.id, s.standing])) },
      places: { ...state.places, ...Object.fromEntries((status?.streams ?? []).map((s) => [s.id, placeOf(s)])) },
      stale,
      summaryAt: due ? at : state.summaryAt,
    },
    lines: due ? [...lines, `${timeOfDay(at)}  ${summary(view)}`] : lines,
  }
}

interface PlainLine {
  readonly at: number
  readonly text: string
}

const now = ({ at }: FleetView, text: string): PlainLine => ({ at, text })

function standingChange(state: PlainState, server: ServerStatus, view: FleetView): ReadonlyArray<PlainLine> {
  const before = state.standings[server.id]
  if (before === server.standing) return []
  const score = `score ${server.score.toFixed(1)}, threshold ${server.threshold}`
  const change = before === undefined ? server.standing : `${before} -> ${server.standing}`
  return [now(view, `server ${server.id}: ${change} (${score})`)]
}

const placeOf = ({ epoch, primary, standby }: StreamStatus): string =>
  `epoch ${epoch}, primary ${primary?.id ?? 'none'}, standby ${standby?.id ?? 'none'}`

function placeChange(state: PlainState, stream: StreamStatus, view: FleetView): ReadonlyArray<PlainLine> {
  const place = placeOf(stream)
  return state.places[stream.id] === place ? [] : [now(view, `stream ${stream.id}: ${place}`)]
}

function summary(view: FleetView): string {
  const servers = (view.status?.servers ?? []).map(serverSummary)
  const streams = (view.status?.streams ?? []).map(streamSummary)
  return ['status', ...servers, ...streams, viewerSummary(view)].join(' | ')
}

function serverSummary({ id, score, risk, memoryRatio, primaries, roles, standing }: ServerStatus): string {
  const shares = [
    risk === null ? '' : ` risk ${percent(risk)}`,
    memoryRatio === null ? '' : ` memory ${percent(memoryRatio)}`,
  ]
  return `${id} ${standing} ${score.toFixed(1)}${shares.join('')} carries ${primaries}+${roles - primaries}`
}

function streamSummary(stream: StreamStatus): string {
  const { id, epoch, live, primary, standby, buffers } = stream
  const held = (server: string | undefined) => buffers.find((buffer) => buffer.server === server)
  const lead = held(primary?.id)
  const follow = held(standby?.id)
  return [
    `${id} epoch ${epoch} live ${live === null ? '-' : grouped(live)}`,
    `${primary?.id ?? 'none'} ${lead?.segments ?? 0}`,
    `${standby?.id ?? 'none'} ${follow?.segments ?? 0} (${follow?.verified ?? 0} verified)`,
  ].join(', ')
}

function viewerSummary({ viewers }: FleetView): string {
  if (viewers.length === 0) return 'no viewer yet'
  const sum = (pick: (viewer: (typeof viewers)[number]) => number): number =>
    viewers.reduce((total, viewer) => total + pick(viewer), 0)
  const stallMs = Math.round(sum(({ totals }) => totals.stallMs))
  return [
    `${viewers.length} viewer(s): ${sum(({ totals }) => totals.segments)} segments`,
    `${sum(({ totals }) => totals.gaps)} gaps`,
    `${sum(({ totals }) => totals.duplicates)} duplicates`,
    `${sum(({ totals }) => totals.hashMismatches)} damaged`,
    `stalled ${stallMs} ms`,
    `buffer ${seconds(Math.min(...viewers.map(({ bufferMs }) => bufferMs)), 2)}`,
    `latency ${seconds(Math.max(...viewers.map(({ totals }) => totals.latencyMs)), 2)}`,
  ].join(', ')
}
