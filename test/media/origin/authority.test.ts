import type { Route } from '../../../src/messaging/index.js'
import { watchForSuspension } from '../../../src/media/origin/index.js'
import { waitFor } from '../../support/waitFor.js'
import { startOrigin } from '../support/origins.js'
import { bufferOf, encode, refOf, routeOf } from '../support/scripted.js'

/** Somebody who knows the route, and answers when the test says so. */
const oracle = () => {
  const waiting: Array<(route: Route | null) => void> = []
  return {
    ask: () => new Promise<Route | null>((resolve) => void waiting.push(resolve)),
    answer: (route: Route | null) => {
      for (const resolve of waiting.splice(0)) resolve(route)
    },
    asked: () => waiting.length > 0,
  }
}

describe('a primary that was suspended', () => {
  it('withholds numbers newer than its last one until it has confirmed the route', async () => {
    const { ask, answer, asked } = oracle()
    const origin = await startOrigin({ buffer: bufferOf(1, 20), askRoute: ask, withholdMsMax: 60_000 })
    origin.routes.accept(routeOf())
    origin.authority.suspended(20)
    encode(origin.buffer, 21)
    const refused = await origin.get('/streams/demo/video/21.m4s')
    expect(refused.status).toBe(503)
    expect(refused.headers.get('retry-after')).toBe('0')
    expect(await refused.json()).toMatchObject({ error: 'authority-unconfirmed' })
    const earlier = await origin.get('/streams/demo/video/20.m4s')
    expect(earlier.status).toBe(200)
    expect(earlier.headers.get('segue-epoch')).toBeNull()

    await waitFor(asked)
    answer(routeOf())
    await waitFor(() => origin.authority.of(21) === 'confirmed')
    const served = await origin.get('/streams/demo/video/21.m4s')
    expect(served.headers.get('segue-epoch')).toBe('1')
    await origin.close()
  })

  it('is fenced when it learns that it was replaced meanwhile', async () => {
    const { ask, answer, asked } = oracle()
    const origin = await startOrigin({ buffer: bufferOf(1, 20), askRoute: ask, withholdMsMax: 60_000 })
    origin.routes.accept(routeOf())
    origin.authority.suspended(20)
    encode(origin.buffer, 21)
    await waitFor(asked)
    answer(routeOf({ epoch: 2, cutover: 21, primary: refOf('b'), standby: null, previous: refOf('a') }))
    await waitFor(() => origin.authority.of(21) === 'confirmed')
    expect((await origin.get('/streams/demo/video/21.m4s')).status).toBe(421)
    expect((await origin.get('/streams/demo/video/20.m4s')).status).toBe(200)
    await origin.close()
  })

  it('goes on without naming an epoch when nobody can tell it', async () => {
    const origin = await startOrigin({ buffer: bufferOf(1, 20), withholdMsMax: 50 })
    origin.routes.accept(routeOf())
    origin.authority.suspended(20)
    encode(origin.buffer, 21)
    await waitFor(() => origin.authority.of(21) === 'assumed')
    const served = await origin.get('/streams/demo/video/21.m4s')
    expect(served.status).toBe(200)
    expect(served.headers.get('segue-epoch')).toBeNull()
    await origin.close()
  })

  it('keeps asking, and names the epoch again when somebody knows it', async () => {
    let knows = false
    const askRoute = async () => (knows ? routeOf() : null)
    const origin = await startOrigin({ buffer: bufferOf(1, 20), withholdMsMax: 20, askRoute })
    origin.routes.accept(routeOf())
    origin.authority.suspended(20)
    await waitFor(() => origin.authority.of(21) === 'assumed')
    knows = true
    await waitFor(() => origin.authority.of(21) === 'confirmed')
    await origin.close()
  })

  it('takes no newer route for an answer that may have waited since before it was replaced', async () => {
    const origin = await startOrigin({ buffer: bufferOf(1, 20), withholdMsMax: 60_000 })
    origin.routes.accept(routeOf())
    origin.authority.suspended(20)
    expect(origin.authority.of(21)).toBe('unconfirmed')
    origin.routes.accept(routeOf({ sequence: 2 }))
    expect(origin.authority.of(21)).toBe('unconfirmed')
    await origin.close()
  })

  it('does not list in its playlist what it withholds', async () => {
    const origin = await startOrigin({ buffer: bufferOf(1, 20), withholdMsMax: 60_000 })
    origin.routes.accept(routeOf())
    origin.authority.suspended(20)
    encode(origin.buffer, 21)
    const playlist = await (await origin.get('/streams/demo/video.m3u8')).text()
    expect(playlist).toContain('video/20.m4s')
    expect(playlist).not.toContain('video/21.m4s')
    await origin.close()
  })
})

describe('the watch for suspensions', () => {
  const clocks = () => {
    const at = { wallMs: 1_000, monotonicMs: 50 }
    return { at, wallMs: () => at.wallMs, monotonicMs: () => at.monotonicMs }
  }
  const watched = (onSuspended: (gapMs: number) => void) => {
    const time = clocks()
    const watch = watchForSuspension({ clocks: time, onSuspended, everyMs: 3_600_000 })
    return { time, watch }
  }

  it('keeps quiet while the clocks go on as they should', () => {
    const gaps: number[] = []
    const { time, watch } = watched((gapMs) => gaps.push(gapMs))
    for (let look = 0; look < 20; look += 1) {
      time.at.wallMs += 350
      time.at.monotonicMs += 350
      watch.check()
    }
    expect(gaps).toEqual([])
    watch.stop()
  })

  it.each(['wallMs', 'monotonicMs'] as const)('tells once when %s jumped', (clock) => {
    const gaps: number[] = []
    const { time, watch } = watched((gapMs) => gaps.push(gapMs))
    time.at[clock] += 401
    watch.check()
    watch.check()
    expect(gaps).toEqual([401])
    watch.stop()
  })
})
