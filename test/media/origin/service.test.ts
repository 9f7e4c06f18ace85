import { request } from 'undici'
import { Manifest, SessionDocument } from '../../../src/messaging/index.js'
import { hashed } from '../../../src/media/buffer/index.js'
import { startOrigin, type TestOrigin } from '../support/origins.js'
import { bufferOf, encode, format, routeOf, segmentOf } from '../support/scripted.js'

let origin: TestOrigin
beforeEach(async () => {
  origin = await startOrigin({ buffer: bufferOf(1, 20) })
})
afterEach(() => origin.close())

describe('documents', () => {
  it('the manifest lists what is here, with hashes', async () => {
    origin.routes.accept(routeOf({ epoch: 2 }))
    const manifest: unknown = await (await origin.get('/streams/demo/manifest.json')).json()
    if (!Manifest.is(manifest)) throw new Error('no manifest')
    expect(manifest).toMatchObject({ server: 'a', epoch: 2, live: 20, oldest: 1, segmentTicks: format.segmentTicks })
    expect(manifest.segments.at(-1)).toEqual({
      number: 20,
      video: { sha256: hashed(segmentOf(20, 'video').bytes).sha256, bytes: 64 },
      audio: { sha256: hashed(segmentOf(20, 'audio').bytes).sha256, bytes: 64 },
      others: {},
      origin: 'encoded',
      verified: false,
    })
  })

  it('the manifest can be waited for', async () => {
    const waiting = origin.get('/streams/demo/manifest.json?after=20')
    encode(origin.buffer, 21)
    expect(await (await waiting).json()).toMatchObject({ live: 21 })
  })

  it('the manifest can be had from a number on', async () => {
    const manifest: unknown = await (await origin.get('/streams/demo/manifest.json?from=19')).json()
    expect(Manifest.is(manifest) && manifest.segments.map(({ number }) => number)).toEqual([19, 20])
    expect((await origin.get('/streams/demo/manifest.json?from=x')).status).toBe(400)
  })

  it('the session is 503 as long as no notice has arrived', async () => {
    expect((await origin.get('/streams/demo/session')).status).toBe(503)
    const signed = { payload: '{}', signature: '', keyId: 'id' }
    const session = { stream: 'demo', format, notice: signed, ticket: signed, noticeKey: 'key' }
    const other = await startOrigin({ buffer: bufferOf(1, 2), session })
    const document: unknown = await (await other.get('/streams/demo/session')).json()
    expect(SessionDocument.is(document)).toBe(true)
    await other.close()
  })
})

describe('a name that no stream can have', () => {
  it.each(['a%20b', 'a.b', 'a%0D%0APUB%20x%200%0D%0A', '*', '%3E', '-a', 'a'.repeat(65)])(
    '%s is none here',
    async (name) => {
      const asked: string[] = []
      const other = await startOrigin({ buffer: bufferOf(1, 2), onSession: (stream) => asked.push(stream) })
      for (const path of ['session', 'manifest.json', 'main.m3u8', 'video/media.m3u8']) {
        const { status } = await other.get(`/streams/${name}/${path}`)
        expect([path, status]).toEqual([path, 404])
      }
      expect(asked).toEqual([])
      await other.close()
    },
  )
})

describe('health and drain', () => {
  it.each([
    { origin: 'https://other.example' },
    { 'sec-fetch-site': 'cross-site' },
    { 'x-forwarded-for': '203.0.113.9' },
    { forwarded: 'for=203.0.113.9' },
    { via: '1.1 proxy' },
  ])('is not emptied for somebody else: %j', async (headers) => {
    for (const method of ['POST', 'DELETE']) {
      const { statusCode, body } = await request(`${origin.url}/drain`, { method: method as 'POST', headers })
      expect([statusCode, await body.json()]).toEqual([403, expect.objectContaining({ error: 'not-local' })])
    }
    expect((await origin.get('/readyz')).status).toBe(200)
  })

  it('offers pages nothing but reading', async () => {
    const { headers } = await origin.get('/drain', { method: 'OPTIONS' })
    expect(headers.get('access-control-allow-methods')).toBe('GET, HEAD, OPTIONS')
  })

  it('lives while it drains, but is not ready', async () => {
    expect((await origin.get('/readyz')).status).toBe(200)
    const started = await origin.get('/drain', { method: 'POST' })
    expect(started.status).toBe(202)
    expect((await origin.get('/readyz')).status).toBe(503)
    expect((await origin.get('/healthz')).status).toBe(200)
    expect(await (await origin.get('/drain')).json()).toMatchObject({ draining: true })
    await origin.get('/drain', { method: 'DELETE' })
    expect((await origin.get('/readyz')).status).toBe(200)
  })

  it('is ready for a stream only when it has something of it and a part in it', async () => {
    expect((await origin.get('/readyz?stream=demo')).status).toBe(200)
    expect((await origin.get('/readyz?stream=other')).status).toBe(503)
    origin.role('retired')
    expect((await origin.get('/readyz?stream=demo')).status).toBe(503)
  })

  it('refuses a drain with a deadline that is none', async () => {
    const headers = { 'content-type': 'application/json' }
    const post = (body: string) => origin.get('/drain', { method: 'POST', headers, body })
    expect((await post('{"deadlineMs":-1}')).status).toBe(400)
    expect((await post('{"deadlineMs":')).status).toBe(400)
    expect((await post('{"deadlineMs":1000,"by":"me"}')).status).toBe(202)
  })
})
