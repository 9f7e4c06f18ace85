import type { KeyObject } from 'node:crypto'
import { buildDossier, renderDossier, verifyDossier, type DossierFile } from '../../../src/projections/index.js'
import { viewOf } from '../../../src/projections/dossier/view.js'
import { createMemoryStore } from '../../../src/events/stores/memory/index.js'
import { appendAll, goldenEvents, ledgeredLog, newSigner } from '../../support/ledgeredLog.js'

let file: DossierFile
let trusted: ReadonlyArray<KeyObject>

beforeAll(async () => {
  const log = await ledgeredLog('real-leak')
  trusted = log.trusted
  file = await buildDossier(log.store, 'main-h1')
})

/** Every way to a value in a tree of JSON. */
function pathsIn(value: unknown, path: ReadonlyArray<string> = []): ReadonlyArray<ReadonlyArray<string>> {
  if (typeof value !== 'object' || value === null) return [path]
  return Object.entries(value).flatMap(([key, item]) => pathsIn(item, [...path, key]))
}

function changed(value: unknown): unknown {
  if (typeof value === 'number') return value + 1
  if (typeof value === 'boolean') return !value
  if (typeof value === 'string') return value === '' ? 'x' : (value.startsWith('0') ? '1' : '0') + value.slice(1)
  return 1
}

/** The file with one value changed. */
function mutated(path: ReadonlyArray<string>): string {
  const copy = JSON.parse(JSON.stringify(file)) as Record<string, unknown>
  let at: Record<string, unknown> = copy
  for (const key of path.slice(0, -1)) at = at[key] as Record<string, unknown>
  const last = path.at(-1) ?? ''
  at[last] = changed(at[last])
  return JSON.stringify(copy)
}

describe('a dossier', () => {
  it('is sound as it was made, as JSON and as a page', () => {
    expect(verifyDossier(JSON.stringify(file), trusted).problems).toEqual([])
    expect(verifyDossier(renderDossier(file), trusted)).toMatchObject({ sound: true, handover: 'main-h1' })
  })

  it('tells the seven steps, the prediction with its samples, both servers’ hashes and the viewer', () => {
    const { view } = verifyDossier(JSON.stringify(file), trusted)
    expect(view?.steps.filter(({ atMs }) => atMs !== null)).toHaveLength(7)
    expect(view?.prediction).toMatchObject({ threshold: 60 })
    expect(view?.samples.length).toBeGreaterThan(5)
    expect(view?.viewers).toMatchObject([{ gaps: 0, duplicates: 0, verdict: 'seamless' }])
    expect(view?.segments.length).toBeGreaterThan(2)
    const told = view?.steps.map(({ atMs }) => atMs ?? 0) ?? []
    // Prediction, standby, stitching, notification, switch: in this order.
    expect(told.slice(0, 5)).toEqual(told.slice(0, 5).toSorted((a, b) => a - b))
    expect(view?.replay).toMatchObject({ identical: true })
  })

  it('tells the alarm that the handover was asked for, whatever else its server had been through', () => {
    const alarm = file.proof.parts.flatMap(({ events }) => events).find(({ type }) => type === 'InstabilityPredicted')
    if (alarm === undefined) throw new Error('there is no alarm')
    const other = (id: string, byMs: number) => ({
      ...{ ...alarm, id, metadata: { ...alarm.metadata, occurredAt: alarm.metadata.occurredAt + byMs } },
    })
    const parts = file.proof.parts.map((part) =>
      part.events.includes(alarm)
        ? { ...part, events: [other('earlier', -60_000), ...part.events, other('later', 1)] }
        : part,
    )
    const { steps, prediction } = viewOf({ ...file.proof, parts })
    const plain = viewOf(file.proof)
    expect(prediction).toEqual(plain.prediction)
    expect(prediction?.atMs).toBe(steps[0]?.atMs)
    expect(steps).toEqual(plain.steps)
  })

  it('tells no alarm of a handover that was asked for something else', async () => {
    const { store } = await ledgeredLog('drain-during-alarm')
    const { steps, prediction } = viewOf((await buildDossier(store, 'a-h2')).proof)
    expect(prediction).toBeNull()
    expect(steps[0]).toMatchObject({ name: 'Request', atMs: 0, detail: 'drain: leave s1' })
  })

  it('is found out when any value in it is changed', () => {
    const paths = pathsIn(file)
    // Hashes are many and alike; every kind of value comes up all the same.
    const some = paths.filter((_path, index) => index % Math.ceil(paths.length / 80) === 0)
    const unnoticed = some.filter((path) => verifyDossier(mutated(path), trusted).sound)
    expect(unnoticed).toEqual([])
  })

  it.each([
    ['completed, because its target fails', 'target-crash-at-CutoverReached'],
    ['aborted, because its server is drained', 'drain-during-alarm'],
  ])(
    'replays all that was decided by the fact with which the handover %s, and the next begins',
    async (_what, name) => {
      const log = await ledgeredLog(name)
      const made = await buildDossier(log.store, 'a-h1')
      const { sound, view } = verifyDossier(JSON.stringify(made), log.trusted)
      expect(sound).toBe(true)
      expect(view?.replay).toMatchObject({ identical: true })
      expect(view?.record?.outcome).not.toBe('under-way')
      // A file that ends with the handover leaves decisions out, which are under its proof all the same.
      const types = made.proof.parts[0]?.events.map(({ type }) => type) ?? []
      const end = types.findIndex((type) => type === 'HandoverCompleted' || type === 'HandoverAborted') + 1
      expect(types.length).toBeGreaterThan(end)
      const [main, ...others] = made.proof.parts
      const ended = main && { ...main, events: main.events.slice(0, end), after: ['0', ...main.after] }
      expect(viewOf({ ...made.proof, parts: ended ? [ended, ...others] : others }).replay?.identical).toBe(true)
    },
  )

  it.each([
    ['an event that is left out', (copy: DossierFile) => (copy.proof.parts[0]?.events as unknown[]).splice(3, 1)],
    ['two events that changed places', (copy: DossierFile) => (copy.proof.parts[0]?.events as unknown[]).reverse()],
    ['a stream that is left out', (copy: DossierFile) => (copy.proof.parts as unknown[]).pop()],
    ['something that is added', (copy: DossierFile) => Object.assign(copy.proof, { note: 'approved' })],
  ])('is found out by %s', (_what, change) => {
    const copy = JSON.parse(JSON.stringify(file)) as DossierFile
    change(copy)
    expect(verifyDossier(JSON.stringify(copy), trusted).sound).toBe(false)
  })

  it('is found out when only the page was changed', () => {
    const page = renderDossier(file)
    expect(verifyDossier(page.replace('No viewer missed', 'Nobody missed'), trusted).problems).toEqual([
      'the page shows something else than its data: it was changed',
    ])
    expect(verifyDossier(page.replace('</main>', '<p>approved</p></main>'), trusted).sound).toBe(false)
  })

  it('is not believed with another key, or with none', () => {
    const text = JSON.stringify(file)
    expect(verifyDossier(text, [newSigner().privateKey]).problems.join()).toContain('is not trusted here')
    expect(verifyDossier(text, []).sound).toBe(false)
  })

  it.each(['', '{', '{}', '<html></html>', 'null', '{"format":"segue-dossier"}'])(
    'is not taken for one when it is something else: %j',
    (text) => {
      expect(verifyDossier(text, trusted).problems[0]).toMatch(/no dossier/)
    },
  )

  it('cannot be made of a handover that is not there, or not signed yet', async () => {
    const { store } = await ledgeredLog('operator')
    await expect(buildDossier(store, 'a-h9')).rejects.toThrow(
      'there is no handover a-h9 in the log; of that stream there are a-h1',
    )
    const bare = createMemoryStore()
    await appendAll(bare, goldenEvents('operator'))
    await expect(buildDossier(bare, 'a-h1')).rejects.toThrow('not under a signed checkpoint yet')
  })
})
