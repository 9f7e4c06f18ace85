import { request } from 'undici'
import { systemClock, type HealthClock } from '../clock.js'
import { HealthOptionsError } from '../errors.js'
import type { HostReadings, HostSource } from '../hostSource.js'
import { readingsBetween, readNodeScrape, type NodeScrape } from './nodeExporter.js'

export interface ExporterHostOptions {
  /** Address of the metrics page of a Prometheus node_exporter, e.g. `http://10.0.0.1:9100/metrics`. */
  readonly url: string
  /** From one scrape to the next; default 1,000 ms. */
  readonly everyMs?: number
  /** How long one scrape may take, in ms; default 2,000. */
  readonly timeoutMs?: number
  /** Told when the exporter stops answering, and when it answers again; once each. */
  readonly onState?: (state: ExporterState) => void
  readonly clock?: HealthClock
}

export type ExporterState =
  { readonly type: 'answers' } | { readonly type: 'silent'; readonly url: string; readonly reason: string }

const bytesMax = 8 * 1024 * 1024
const unknown: HostReadings = {
  cpuRatio: null,
  load1: null,
  cores: 0,
  memoryRatio: null,
  diskLatencyMs: null,
  diskBusyRatio: null,
  networkRxBytesPerS: null,
  networkTxBytesPerS: null,
  networkErrorsPerS: null,
}

/**
 * Readings of a machine that runs a Prometheus node_exporter (1.0 or later), scraped at a steady interval. Readings
 * that are older than three intervals are not given out: they become null, and so does everything before the second
 * scrape that needs a difference.
 * @throws HealthOptionsError when the address is none.
 */
export const createExporterHostSource = (options: ExporterHostOptions): HostSource => {
  const { url, everyMs = 1_000, timeoutMs = 2_000, onState = () => undefined, clock = systemClock } = options
  if (!URL.canParse(url) || !/^https?:/.test(url)) {
    throw new HealthOptionsError(`"${url}" cannot be scraped: give the http address of node_exporter's metrics page`)
  }
  let before: { readonly scrape: NodeScrape; readonly atMs: number } | null = null
  let latest: { readonly readings: HostReadings; readonly atMs: number } | null = null
  let state: ExporterState['type'] | null = null
  let closed = false
  const abort = new AbortController()
  let timer: NodeJS.Timeout | undefined

  const enter = (next: ExporterState): void => {
    if (next.type === state || closed) return
    state = next.type
    onState(next)
  }
  const scrape = async (): Promise<void> => {
    const startedAtMs = clock.monotonicMs()
    try {
      const text = await fetchText(url, AbortSignal.any([abort.signal, AbortSignal.timeout(timeoutMs)]))
      const scraped = readNodeScrape(text)
      if (scraped === null) throw new Error('the page holds no node_cpu_seconds_total; is it a node_exporter?')
      const atMs = clock.monotonicMs()
      latest = { readings: readingsBetween(before?.scrape ?? null, scraped, atMs - (before?.atMs ?? atMs)), atMs }
      before = { scrape: scraped, atMs }
      enter({ type: 'answers' })
    } catch (error) {
      enter({ type: 'silent', url: withoutSecrets(url), reason: reasonOf(error) })
    }
    if (closed) return
    timer = setTimeout(() => void scrape(), Math.max(0, everyMs - (clock.monotonicMs() - startedAtMs)))
    timer.unref()
  }
  void scrape()

  return {
    take: () => (latest !== null && clock.monotonicMs() - latest.atMs <= 3 * everyMs ? latest.readings : unknown),
    close: () => {
      closed = true
      clearTimeout(timer)
      abort.abort()
    },
  }
}

async function fetchText(url: string, signal: AbortSignal): Promise<string> {
  const { statusCode, body } = await request(url, { signal, headers: { accept: 'text/plain;version=0.0.4' } })
  if (statusCode !== 200) {
    await body.dump()
    throw new Error(`it answered with status ${statusCode}`)
  }
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of body as AsyncIterable<Buffer>) {
    bytes += part.byteLength
    if (bytes > bytesMax) throw new Error(`its answer is longer than ${bytesMax} bytes`)
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}

function reasonOf(error: unknown): string {
  const { name, code, message } = error as Partial<Record<'name' | 'code' | 'message', unknown>>
  if (name === 'TimeoutError') return 'it did not answer in time'
  return typeof code === 'string' ? code : String(message ?? error)
}

function withoutSecrets(url: string): string {
  const parsed = new URL(url)
  parsed.username = parsed.password = ''
  return parsed.href
}
