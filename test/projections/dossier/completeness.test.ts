import type { KeyObject } from 'node:crypto'
import type { RecordedEvent } from '../../../src/events/index.js'
import { eventHash } from '../../../src/events/integrity/index.js'
import { derivedId } from '../../../src/events/ids.js'
import { createMemoryStore } from '../../../src/events/stores/memory/index.js'
import { buildDossier, renderDossier, verifyDossier, type DossierFile } from '../../../src/projections/index.js'
import { viewOf } from '../../../src/projections/dossier/view.js'
import { goldenEvents, ledgeredLog } from '../../support/ledgeredLog.js'

type Part = DossierFile['proof']['parts'][number]
type Parts = ReadonlyArray<Part>
type Client = 'ClientSwitched' | 'SwitchExperienced'

const golden = goldenEvents('real-leak')
const clientOf = (events: ReadonlyArray<RecordedEvent>): ReadonlyArray<RecordedEvent> =>
  events.filter(({ streamId }) => streamId.startsWith('client-'))

const changedIn = (event: RecordedEvent, type: string, change: object): RecordedEvent =>
  event.type === type ? { ...event, data: { ...(event.data as object), ...change } } : event

/** The history with a loss in what its viewer measured and, when it is told, in the stream's own sum. */
const withLoss = (event: RecordedEvent): RecordedEvent => {
  if (event.type === 'ClientSwitched') return changedIn(event, 'ClientSwitched' satisfies Client, { gaps: 2 })
  if (event.type !== 'HandoverCompleted') return event
  const { viewers } = event.data as { readonly viewers: object }
  return changedIn(event, 'HandoverCompleted', { viewers: { ...viewers, gaps: 2 } })
}

/** As a forger does it: the proof is changed, and everything told is derived from it again. */
function forged({ format, version, proof }: DossierFile, change: (parts: Parts) => Parts): DossierFile {
  const less = { ...proof, parts: change(proof.parts) }
  return { format, version, view: viewOf(less), proof: less }
}

const isMain = ({ stream }: Part): boolean => stream === 'stream-main'

/** From so many events before the end on, a part's events are hashes alone. */
const hidden = (part: Part, count: number): Part => {
  const gone = part.events.slice(-count).map((event) => eventHash({ ...event, streamId: part.stream }).toString('hex'))
  return { ...part, events: part.events.slice(0, -count), after: [...gone, ...part.after] }
}

const told = (file: DossierFile): string => /<p>[^]*?<\/p>/.exec(renderDossier(file))?.[0] ?? ''

describe('a dossier of which something was left out', () => {
  let file: DossierFile
  let trusted: ReadonlyArray<KeyObject>
  beforeAll(async () => {
    const log = await ledgeredLog('', createMemoryStore(), golden.map(withLoss))
    trusted = log.trusted
    file = await buildDossier(log.store, 'main-h1')
  })
  const problemsOf = (change: (parts: Parts) => Parts): ReadonlyArray<string> =>
    verifyDossier(JSON.stringify(forged(file, change)), trusted).problems

  it('is sound while it is whole, and tells of the loss', () => {
    expect(problemsOf((parts) => parts)).toEqual([])
    expect(told(file)).toContain('Viewers missed or repeated segments: 2 gaps')
    expect(told(file)).toContain('1 of 1 viewer(s) in this file.')
  })

  it.each<readonly [string, (parts: Parts) => Parts, string]>([
    ['with no events at all', () => [], 'the events of stream-main are not in the file'],
    ['without the stream', (parts) => parts.filter((part) => !isMain(part)), 'the events of stream-main are not'],
    [
      'without the end of the handover',
      (parts) => parts.map((part) => (isMain(part) ? hidden(part, 1) : part)),
      'does not tell how the handover went on',
    ],
    [
      'without the handover',
      (parts) => parts.map((part) => (isMain(part) ? hidden(part, part.events.length) : part)),
      'do not hold handover main-h1',
    ],
    [
      'without the server that was left',
      (parts) => parts.filter(({ stream }) => !stream.startsWith('server-')),
      'which was left, are not in the file',
    ],
    ['with a viewer told twice', (parts) => [...parts, ...parts.slice(-1)], 'is in the file twice'],
  ])('is not sound %s', (_what, change, problem) => {
    expect(problemsOf(change).join('\n')).toContain(problem)
  })

  it('of an earlier form is read and checked, but not called sound', () => {
    const { earlier: _earlier, ...key } = file.proof.key
    const text = JSON.stringify({ ...file, version: 1, proof: { ...file.proof, key } })
    const { problems, view } = verifyDossier(text, trusted)
    expect(problems).toEqual([expect.stringMatching(/^the file has form 1, .* make it again from the log$/)])
    expect(view?.record?.outcome).toBe('completed')
  })

  it('tells of the loss without the viewer, and without what the viewer measured', () => {
    const isViewer = ({ stream }: Part): boolean => stream.startsWith('client-')
    for (const change of [
      (parts: Parts) => parts.filter((part) => !isViewer(part)),
      (parts: Parts) => parts.map((part) => (isViewer(part) ? hidden(part, part.events.length - 1) : part)),
    ]) {
      const page = renderDossier(forged(file, change))
      expect(page).toContain('Viewers missed or repeated segments: 2 gaps')
      expect(page).not.toContain('No viewer missed')
    }
    const blind = forged(file, (parts) =>
      parts.map((part) => (isViewer(part) ? hidden(part, part.events.length - 1) : part)),
    )
    expect((blind.view as ReturnType<typeof viewOf>).viewers).toMatchObject([{ gaps: null, stallMs: null }])
  })
})

describe('an honest dossier', () => {
  it('of 201 viewers does not deny the gap of the last', async () => {
    const [own = []] = [clientOf(golden)]
    const name = own[0]?.streamId ?? ''
    const copies = Array.from({ length: 200 }, (_, index) =>
      own.map((event, at) => ({
        ...changedIn(event, 'ClientSwitched', { gaps: index === 199 ? 1 : 0 }),
        ...{ streamId: `${name}-${index}`, id: derivedId(event.metadata.occurredAt, 'copy', String(index), at) },
      })),
    ).flat()
    const { store, trusted } = await ledgeredLog('', createMemoryStore(), [...golden, ...copies])
    const file = await buildDossier(store, 'main-h1')

    expect(verifyDossier(JSON.stringify(file), trusted).problems).toEqual([])
    expect((file.view as ReturnType<typeof viewOf>).viewers).toHaveLength(200)
    expect(told(file)).toContain('1 viewer(s) missed or repeated segments.')
  })

  it('of a handover that is under way says so, and holds everything up to the checkpoint', async () => {
    const end = golden.findIndex(({ type }) => type === 'HandoverCompleted')
    const { store, trusted } = await ledgeredLog('', createMemoryStore(), golden.slice(0, end))
    const file = await buildDossier(store, 'main-h1')

    const { problems, view } = verifyDossier(JSON.stringify(file), trusted)
    expect(problems).toEqual([])
    expect(view?.record?.outcome).toBe('under-way')
    expect(renderDossier(file)).toContain('<dd>under-way</dd>')
  })
})
