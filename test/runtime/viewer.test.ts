import { startViewers, type ViewerEvent, type Viewers } from '../../src/runtime/viewer.js'
import { controlKey as key } from '../support/controlKey.js'
import { ScriptedOrigin, type ScriptedControl } from '../support/scriptedOrigin.js'
import { waitFor } from '../support/waitFor.js'
import { segmentMs } from '../support/madeUpStream.js'

type Of<T extends ViewerEvent['type']> = Extract<ViewerEvent, { readonly type: T }>

describe('viewers over real HTTP and WebSocket', () => {
  let a: ScriptedOrigin
  let b: ScriptedOrigin
  let control: ScriptedControl
  let viewers: Viewers
  let events: ViewerEvent[]

  const said = <T extends ViewerEvent['type']>(type: T): ReadonlyArray<Of<T>> =>
    events.filter((event): event is Of<T> => event.type === type)
  const lastNumber = (): number => said('segment').at(-1)?.data.number ?? 0
  const playing = (): Promise<unknown> =>
    waitFor(() => said('segment').length >= 8, { timeoutMs: 8_000, describe: 'eight segments' })
  const watch = (sessions = 1): void => {
    viewers = startViewers({
      stream: 'news',
      bootstrap: [a.url, b.url],
      sessions,
      onEvent: (event) => events.push(event),
    })
  }

  beforeEach(async () => {
    events = []
    const nowhere = { id: 'a', url: 'http://127.0.0.1:1' }
    const route = { stream: 'news', epoch: 1, cutover: 0, primary: nowhere, standby: null, previous: null, sequence: 1 }
    control = { stream: 'news', key, route }
    a = await ScriptedOrigin.start('a', control)
    b = await ScriptedOrigin.start('b', control)
    control.route = { ...route, primary: { id: 'a', url: a.url }, standby: { id: 'b', url: b.url } }
  })

  afterEach(async () => {
    await viewers.stop()
    await Promise.all([a.crash(), b.crash()])
  })

  /** How much later than it was due the first segment from the other server came. */
  const recoveryMs = (failedAt: number): number => {
    const first = said('segment').find(({ data }) => data.server.video === 'b')
    if (first === undefined) throw new Error('nothing came from b')
    return first.at - Math.max(failedAt, (first.data.number + 1) * segmentMs + a.delayMs)
  }

  test('a primary that hangs costs no stall at 1.5 s latency', async () => {
    watch()
    await playing()
    const failedAt = Date.now()
    a.hang()
    const from = lastNumber()
    await waitFor(() => lastNumber() >= from + 12, { timeoutMs: 8_000, describe: 'twelve more segments' })
    expect(viewers.totals()).toMatchObject([{ gaps: 0, duplicates: 0, hashMismatches: 0, stalls: 0, stallMs: 0 }])
    expect(said('trouble')).toMatchObject([{ data: { server: 'a', reason: 'timeout' } }])
    expect(recoveryMs(failedAt)).toBeLessThan(1_000)
    if (process.env['SEGUE_PRINT'] !== undefined) console.log(`hang: ${recoveryMs(failedAt).toFixed(0)} ms`)
  })

  test('a primary that dies costs no stall at 1.5 s latency', async () => {
    watch()
    await playing()
    const failedAt = Date.now()
    await a.crash()
    const from = lastNumber()
    await waitFor(() => lastNumber() >= from + 8, { timeoutMs: 8_000, describe: 'eight more segments' })
    expect(viewers.totals()).toMatchObject([{ gaps: 0, duplicates: 0, hashMismatches: 0, stalls: 0, stallMs: 0 }])
    expect(said('trouble').map(({ data }) => data.server)).toEqual(['a'])
    expect(recoveryMs(failedAt)).toBeLessThan(500)
    if (process.env['SEGUE_PRINT'] !== undefined) console.log(`crash: ${recoveryMs(failedAt).toFixed(0)} ms`)
  })

  test('several viewers follow a signed hand-over and report it', async () => {
    watch(3)
    await playing()
    await waitFor(() => a.received.filter((m) => m.type === 'hello').length === 3, { describe: 'three hellos' })
    const cutover = lastNumber() + 5
    control.route = {
      stream: 'news',
      epoch: 2,
      cutover,
      primary: { id: 'b', url: b.url },
      standby: null,
      previous: { id: 'a', url: a.url },
      sequence: 2,
    }
    const notice = key.sign({ route: control.route, issuedAt: Date.now(), expiresAt: Date.now() + 10_000 })
    a.tell(notice)
    b.tell(notice)
    await waitFor(() => b.received.filter((m) => m.type === 'switched').length === 3, { describe: 'three switches' })
    await viewers.stop()

    for (const server of [a, b]) expect(server.received.filter((m) => m.type === 'acknowledge')).toHaveLength(3)
    for (const report of b.received.filter((m) => m.type === 'switched')) {
      expect(report).toMatchObject({ epoch: 2, firstNumber: cutover, gaps: 0, duplicates: 0, stalls: 0 })
    }
    expect(b.received.filter((m) => m.type === 'bye')).toHaveLength(3)
    expect(await viewers.done).toEqual([])
  })

  test('a stream that nobody knows ends with an error that says what was tried', async () => {
    viewers = startViewers({ stream: 'other', bootstrap: [a.url], patience: { startupMs: 100 } })
    const [error] = await viewers.done
    expect(error?._tag).toBe('BootstrapFailed')
    expect(error?.message).toContain(`${a.url}/api/streams/other/session answered 404`)
  })
})
