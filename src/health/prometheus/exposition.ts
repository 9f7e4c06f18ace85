/** One line of a scrape. */
export interface Metric {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

const linePattern = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})?[ \t]+(\S+)(?:[ \t]+-?\d+)?[ \t]*$/
const labelPattern = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"/g
const escapes: Readonly<Record<string, string>> = { '\\\\': '\\', '\\"': '"', '\\n': '\n' }

/**
 * The metrics with one of the wanted names, from Prometheus' text format (version 0.0.4: "Exposition formats" in the
 * Prometheus documentation). Lines that are no metric are passed over, as are values that are no finite number.
 */
export function readMetrics(text: string, wanted: ReadonlySet<string>): ReadonlyMap<string, ReadonlyArray<Metric>> {
  const metrics = new Map<string, Metric[]>()
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue
    // Nearly all lines of a scrape are of no interest: their names end the look at them.
    const name = nameOf(line)
    if (!wanted.has(name)) continue
    const match = linePattern.exec(line)
    const value = Number(match?.[3])
    if (match === null || !Number.isFinite(value)) continue
    const list = metrics.get(name) ?? []
    list.push({ labels: labelsOf(match[2] ?? ''), value })
    metrics.set(name, list)
  }
  return metrics
}

function nameOf(line: string): string {
  const end = line.search(/[{ \t]/)
  return end === -1 ? '' : line.slice(0, end)
}

function labelsOf(text: string): Readonly<Record<string, string>> {
  const labels: Record<string, string> = {}
  for (const [, name = '', value = ''] of text.matchAll(labelPattern)) {
    labels[name] = value.replaceAll(/\\[\\"n]/g, (found) => escapes[found] ?? found)
  }
  return labels
}
