import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { simulatedFleet, type FleetShape } from './series.js'

const zip = promisify(gzip)

/** Writes a simulated fleet as a data set: one NAME.csv.gz for each server, and incidents.json. The same seed, the same files. */
export const writeFleet = async (dir: string, shape: FleetShape): Promise<void> => {
  await mkdir(dir, { recursive: true })
  const machines: object[] = []
  for (const { series, kinds } of simulatedFleet(shape)) {
    const { machine, columns, values, calibrationRows, rows, runs, family, stepMs } = series
    const labels = new Uint8Array(rows)
    for (const [start, end] of runs) labels.fill(1, start, end)
    const lines = [['phase', 'label', ...columns].join(',')]
    for (let row = 0; row < calibrationRows + rows; row += 1) {
      const cells = Array.from(values.subarray(row * columns.length, (row + 1) * columns.length), (value) =>
        String(Number(value.toPrecision(4))),
      )
      lines.push(
        (row < calibrationRows ? ['cal', ''] : ['test', labels[row - calibrationRows]]).concat(cells).join(','),
      )
    }
    await writeFile(join(dir, `${machine}.csv.gz`), await zip(`${lines.join('\n')}\n`))
    machines.push({
      machine,
      family,
      step_s: stepMs / 1_000,
      cal_rows: calibrationRows,
      test_rows: rows,
      metrics: columns.length,
      incident_runs: runs,
      incident_kinds: kinds,
    })
  }
  await writeFile(join(dir, 'incidents.json'), `${JSON.stringify(machines)}\n`)
}
