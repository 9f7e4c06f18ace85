import { prepare, trainChampion, type Series, type Stretch } from '../../../src/model/evaluation/index.js'
import { riskOf, seededRandom } from '../../../src/model/learners/index.js'

const rows = 1_200

/** Machines whose second metric climbs before each incident; the second machine follows the first. */
const machine = (index: number, change: (series: Series) => Series = (series) => series): Series => {
  const random = seededRandom(index + 1)
  const values = new Float64Array((rows + 300) * 2)
  const onsets = [150, 330, 560, 700, 905, 1_090].map((onset) => onset + 3 * index)
  for (let row = 0; row < rows + 300; row += 1) {
    const next = onsets.find((onset) => onset > row - 300) ?? Infinity
    const ahead = next - (row - 300)
    values[row * 2] = 5 + random()
    values[row * 2 + 1] = 3 + random() + (ahead <= 6 ? 2 * (7 - ahead) : 0)
  }
  return change({
    machine: `m-${index}`,
    family: 'f',
    stepMs: 300_000,
    columns: ['a', 'b'],
    calibrationRows: 300,
    rows,
    values,
    runs: onsets.map((onset) => [onset, onset + 4]),
    isSimulated: false,
  })
}

const vectorsOf = (machines: ReadonlyArray<Series>, withHistory = true) =>
  prepare(machines, withHistory).map(({ vectors, rows: count }) => ({ vectors, width: vectors.length / count }))

describe('prepared machines', () => {
  it('look at no row, and at no incident, that comes later', () => {
    const cut = 700
    const changed = (series: Series): Series => {
      const values = series.values.slice()
      values.fill(99, (cut + 300) * 2)
      return { ...series, values, runs: [...series.runs.filter(([start]) => start < cut), [1_000, 1_001]] }
    }
    const plain = vectorsOf([machine(0), machine(1)])
    const other = vectorsOf([machine(0, changed), machine(1, changed)])
    plain.forEach(({ vectors, width }, index) => {
      expect(other[index]?.vectors.subarray(0, cut * width)).toEqual(vectors.subarray(0, cut * width))
      expect(other[index]?.vectors).not.toEqual(vectors)
    })
  })

  it('know of an incident only from the row after its onset on', () => {
    const later = (series: Series): Series => ({
      ...series,
      runs: series.runs.map(([start, end]) => (start === 560 ? [565, end + 5] : [start, end])),
    })
    const [plain, moved] = [vectorsOf([machine(0)])[0], vectorsOf([machine(0, later)])[0]]
    if (plain === undefined || moved === undefined) throw new Error('no machine')
    const same = 561 * plain.width
    expect(moved.vectors.subarray(0, same)).toEqual(plain.vectors.subarray(0, same))
    expect(moved.vectors.subarray(0, same + plain.width)).not.toEqual(plain.vectors.subarray(0, same + plain.width))
  })

  it('do not look at labels at all without history', () => {
    const unlabelled = (series: Series): Series => ({ ...series, runs: [] })
    expect(vectorsOf([machine(0, unlabelled)], false)).toEqual(vectorsOf([machine(0)], false))
  })
})

describe('the champion', () => {
  it('learns in the first half what it then sees in the second, and keeps its budget there', () => {
    const stretches = prepare([machine(0), machine(1), machine(2)])
    const first = stretches.map((of): Stretch => ({ of, from: 0, to: rows / 2 }))
    const { model } = trainChampion(first, 1)
    const risksAt = (offset: number) =>
      stretches.flatMap((of) =>
        of.incidents
          .filter(({ onset }) => onset > rows / 2)
          .map(({ onset }) => {
            const width = of.features.length
            return riskOf(model, of.vectors.subarray((onset + offset) * width, (onset + offset + 1) * width))
          }),
      )
    const mean = (list: ReadonlyArray<number>) => list.reduce((sum, value) => sum + value, 0) / list.length
    expect(mean(risksAt(-2))).toBeGreaterThan(3 * mean(risksAt(-60)))
    expect(model.threshold).not.toBeNull()
  })
})
