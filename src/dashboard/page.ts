/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import { browserPorts, createSession, playInto, type ViewerSession } from '../client/index.js'
import type { ControlStatus } from '../runtime/control/status.js'
import { orderHandover } from './order.js'
import { rowsIn } from './rows.js'
import { figure, handoverDetails, modelFigures, serverCard, streamRow } from './views.js'

const refreshMs = 500
const latencyMs = 1_500
const refusalShownMs = 10_000

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

const showStreams = rowsIn({
  parent: place('streams'),
  keyOf: ({ id }: ControlStatus['streams'][number]) => id,
  make: ({ id }) => streamRow(id, (stream) => void handOver(stream)),
})
const showHandovers = rowsIn({
  parent: place('handovers'),
  keyOf: ({ id }: ControlStatus['handovers'][number]) => id,
  make: ({ id }, index) => handoverDetails(id, index === 0),
})

/** What became of the last order, when that was nothing. */
let refusal: { readonly text: string; readonly untilMs: number } | null = null

function showConnection(text: string): void {
  if (refusal !== null && performance.now() >= refusal.untilMs) refusal = null
  place('connection').textContent = refusal === null ? text : `${refusal.text} · ${text}`
}

function show(status: ControlStatus): void {
  showConnection(`${status.events} events in the log, broker ${status.broker}`)
  place('servers').replaceChildren(...status.servers.map(serverCard))
  place('model').replaceChildren(...modelFigures(status.model))
  showStreams(status.streams)
  showHandovers(status.handovers.toReversed())
  place('no-handovers').hidden = status.handovers.length > 0
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

async function handOver(stream: string): Promise<void> {
  const text = await orderHandover(stream, (...asked) => fetch(...asked))
  refusal = text === null ? null : { text, untilMs: performance.now() + refusalShownMs }
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
    showConnection('the control plane does not answer; the picture goes on without it')
  }
  showViewer()
  window.setTimeout(() => void refresh(), refreshMs)
}

void refresh()
