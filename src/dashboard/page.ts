/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import { browserPorts, createSession, playInto, type ViewerSession } from '../client/index.js'
import type { ControlStatus } from '../runtime/control/status.js'
import { element, figure, handoverDetails, modelFigures, serverCard, streamRow } from './views.js'

const refreshMs = 500
const latencyMs = 1_500

const place = (id: string): HTMLElement => {
  const found = document.getElementById(id)
  if (found === null) throw new Error(`the page has no element #${id}`)
  return found
}

let session: ViewerSession | null = null

function watch(stream: string, bootstrap: ReadonlyArray<string>): void {
  const id = `page-${Math.random().toString(36).slice(2, 10)}`
  session = createSession({
    stream,
    session: id,
    bootstrap,
    latencyMs,
    agent: 'segue dashboard',
    ...browserPorts,
  })
  playInto(place('video') as HTMLVideoElement, session, latencyMs / 1_000)
  session.on('ended', () => {
    session = null
  })
  session.start()
}

function show(status: ControlStatus): void {
  place('connection').textContent = `${status.events} events in the log, broker ${status.broker}`
  place('servers').replaceChildren(...status.servers.map(serverCard))
  place('model').replaceChildren(...modelFigures(status.model))
  place('streams').replaceChildren(...status.streams.map((stream) => streamRow(stream, handOver)))
  const known = [...document.querySelectorAll<HTMLDetailsElement>('#handovers details')]
  const wasOpen = new Map(known.map((details) => [details.dataset.id, details.open]))
  const handovers = status.handovers.toReversed()
  const rows = handovers.map((each, index) => handoverDetails(each, wasOpen.get(each.id) ?? index === 0))
  place('handovers').replaceChildren(...(rows.length > 0 ? rows : [element('p', { class: 'none' }, 'none yet')]))
}

function showViewer(): void {
  const totals = session?.totals()
  if (totals === undefined) return
  place('viewer').replaceChildren(
    ...figure('segments', String(totals.segments)),
    ...figure('gaps', String(totals.gaps)),
    ...figure('duplicates', String(totals.duplicates)),
    ...figure('wrong hashes', String(totals.hashMismatches)),
    ...figure('stalls', `${totals.stalls} (${totals.stallMs.toFixed(0)} ms)`),
    ...figure('latency', `${(totals.latencyMs / 1_000).toFixed(2)} s`),
  )
}

function handOver(stream: string): void {
  void fetch(`/api/streams/${encodeURIComponent(stream)}/handover`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ by: 'dashboard' }),
  })
}

async function refresh(): Promise<void> {
  try {
    const answer = await fetch('/api/status', { cache: 'no-store', signal: AbortSignal.timeout(2_000) })
    const status = (await answer.json()) as ControlStatus
    show(status)
    const stream = status.streams.find((each) => each.primary !== null)
    if (session === null && stream !== undefined) {
      const { id } = stream
      const documents = status.servers.map(({ url }) => `${url}/streams/${id}/session`)
      watch(id, [`${location.origin}/api/streams/${id}/session`, ...documents])
    }
  } catch {
    place('connection').textContent = 'the control plane does not answer; the picture goes on without it'
  }
  showViewer()
  window.setTimeout(() => void refresh(), refreshMs)
}

void refresh()
