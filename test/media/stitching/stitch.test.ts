import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import * as E from 'fp-ts/lib/Either.js'
import { bufferCapacity, createSegmentBuffer, type SegmentBuffer } from '../../../src/media/buffer/index.js'
import { connectPeer, follow, stitch, type Peer, type Stitched } from '../../../src/media/stitching/index.js'
import { waitFor } from '../../support/waitFor.js'
import { startOrigin, type TestOrigin } from '../support/origins.js'
import { bufferOf, bufferOfTwo, encode, format, formatOfTwo, init, segmentOf } from '../support/scripted.js'

const closing: Array<() => Promise<void> | void> = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const empty = (): SegmentBuffer => createSegmentBuffer(bufferCapacity(format, 16))

const primaryWith = async (buffer: SegmentBuffer): Promise<TestOrigin> => {
  const origin = await startOrigin({ buffer })
  closing.push(() => origin.close())
  return origin
}

const peerAt = (url: string, timeoutMs = 300): Peer => {
  const peer = connectPeer({ stream: 'demo', ref: { id: 'a', url }, asker: 'b', timeoutMs, totalMsMax: timeoutMs * 3 })
  closing.push(() => peer.close())
  return peer
}

/** A peer between us and the real one, that spoils what it passes on. */
const spoiled = async (real: TestOrigin, spoil: (path: string, bytes: Buffer) => Buffer | null): Promise<string> => {
  const relay: RequestListener = (request, response) => {
    void real
      .get(request.url ?? '/')
      .then(async (answer) => [answer, Buffer.from(await answer.arrayBuffer())] as const)
      .then(([{ status, headers }, bytes]) => {
        const passed = spoil(request.url ?? '/', bytes)
        if (passed === null) return
        const promises = [...headers].filter(([name]) => name.startsWith('segue-'))
        response.writeHead(status, { etag: '"none"', ...Object.fromEntries(promises) })
        response.end(passed)
      })
      // The real one is closed while it is still asked.
      .catch(() => response.destroy())
  }
  const server: Server = createServer(relay)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const right = (outcome: E.Either<{ readonly message: string }, Stitched>): Stitched => {
  if (E.isLeft(outcome)) throw new Error(outcome.left.message)
  return outcome.right
}

describe('stitching', () => {
  it('copies the last N segments and the init segments, verified', async () => {
    const primary = await primaryWith(bufferOf(1, 40))
    const buffer = empty()
    const { result, primaryLiveNumber } = right(
      await stitch({ buffer, peer: peerAt(primary.url), count: 16, upTo: null }),
    )
    expect(primaryLiveNumber).toBe(40)
    expect(result).toMatchObject({ first: 25, last: 40, copied: 16, verified: 0, different: 0, unverified: 0 })
    expect(result.hashes.at(-1)).toEqual({
      number: 40,
      video: primary.buffer.get(40)?.video.sha256,
      audio: primary.buffer.get(40)?.audio.sha256,
      others: [],
    })
    expect(result.initIdentical).toBe(true)
    expect(buffer.init()?.combined.sha256).toBe(primary.buffer.init()?.combined.sha256)
    expect(buffer.get(30)).toMatchObject({ origin: 'copied', verified: true })
  })

  it('only compares what its own encoder made already', async () => {
    const primary = await primaryWith(bufferOf(1, 40))
    const buffer = bufferOf(33, 40)
    const { result } = right(await stitch({ buffer, peer: peerAt(primary.url), count: 16, upTo: 40 }))
    expect(result).toMatchObject({ first: 25, last: 40, copied: 8, verified: 8, different: 0, unverified: 0 })
    expect(buffer.get(40)).toMatchObject({ origin: 'encoded', verified: true })
  })

  it("lets the primary's bytes win where they differ", async () => {
    const primary = await primaryWith(bufferOf(1, 40))
    const buffer = empty()
    encode(buffer, 39, 'encoded differently')
    encode(buffer, 40)
    const { result } = right(await stitch({ buffer, peer: peerAt(primary.url), count: 2, upTo: 40 }))
    expect(result).toMatchObject({ copied: 1, different: 1, verified: 1 })
    expect(buffer.get(39)?.video.sha256).toBe(primary.buffer.get(39)?.video.sha256)
  })

  it('compares and copies every rendition', async () => {
    const origin = await startOrigin({ buffer: bufferOfTwo(1, 20), format: formatOfTwo })
    closing.push(() => origin.close())
    const fresh = createSegmentBuffer(bufferCapacity(formatOfTwo, 16), ['v180'])
    const peer = peerAt(origin.url)
    const { result } = right(await stitch({ buffer: fresh, peer, count: 16, upTo: null }))
    const there = origin.buffer.get(20)?.others['v180']
    expect(result).toMatchObject({ copied: 16, initIdentical: true })
    expect(result.hashes.at(-1)?.others).toEqual([{ track: 'v180', sha256: there?.sha256 }])
    expect(fresh.init()?.others).toEqual(origin.buffer.init()?.others)

    const smallPictureDiffers = bufferOfTwo(1, 20, 'other')
    const again = right(await stitch({ buffer: smallPictureDiffers, peer, count: 16, upTo: null }))
    expect(again.result).toMatchObject({ different: 16, verified: 0 })
    expect(smallPictureDiffers.get(20)?.others['v180']?.sha256).toBe(there?.sha256)
  })

  it('copies all tracks of a number in one answer, and takes none of them when one is not as promised', async () => {
    const origin = await startOrigin({ buffer: bufferOfTwo(1, 20), format: formatOfTwo })
    closing.push(() => origin.close())
    const whole = await peerAt(origin.url).pair(20)
    expect(whole).toMatchObject({ _tag: 'Right', right: { others: origin.buffer.get(20)?.others } })
    const cut = await spoiled(origin, (_, bytes) => bytes.subarray(0, -1))
    expect(await peerAt(cut).pair(20)).toMatchObject({
      left: { _tag: 'PeerWrong', message: expect.stringContaining('v180') },
    })
  })

  it('refuses a primary that does not have every rendition', async () => {
    const primary = await primaryWith(bufferOf(1, 20))
    const buffer = createSegmentBuffer(bufferCapacity(formatOfTwo, 16), ['v180'])
    const outcome = await stitch({ buffer, peer: peerAt(primary.url), count: 4, upTo: null })
    expect(outcome).toMatchObject({
      left: { _tag: 'PeerWrong', message: expect.stringContaining('has no track v180') },
    })
  })

  it('takes what exists when the primary has fewer than N', async () => {
    const primary = await primaryWith(bufferOf(7, 9))
    const buffer = empty()
    const { result } = right(await stitch({ buffer, peer: peerAt(primary.url), count: 16, upTo: null }))
    expect(result).toMatchObject({ first: 7, last: 9, copied: 3 })
  })

  it('takes over another init segment of the primary where the one that is here was copied as well', async () => {
    const [primary, buffer] = [await primaryWith(bufferOf(1, 20)), empty()]
    right(await stitch({ buffer, peer: peerAt(primary.url), count: 16, upTo: null }))
    const renewed = Buffer.concat([init.audio, Buffer.from([0, 0, 0, 8, ...Buffer.from('free')])])
    primary.buffer.putInit({ ...init, audio: renewed })
    const { result } = right(await stitch({ buffer, peer: peerAt(primary.url), count: 16, upTo: null }))
    expect(result.initIdentical).toBe(true)
    expect(Buffer.from(buffer.init()?.audio.bytes ?? [])).toEqual(renewed)
    expect(buffer.init()?.origin).toBe('copied')
  })

  it('says when the init segments differ', async () => {
    const primary = await primaryWith(bufferOf(1, 20))
    const buffer = bufferOf(1, 20)
    buffer.putInit({ video: Buffer.from('x'), audio: Buffer.from('y'), combined: Buffer.from('z'), others: {} })
    const { result } = right(await stitch({ buffer, peer: peerAt(primary.url), count: 4, upTo: null }))
    expect(result.initIdentical).toBe(false)
  })

  it('reports as unverified what cannot be compared, because nobody answers', async () => {
    const buffer = bufferOf(5, 20)
    const { result, primaryLiveNumber } = right(
      await stitch({ buffer, peer: peerAt('http://127.0.0.1:9'), count: 16, upTo: 20 }),
    )
    expect(primaryLiveNumber).toBeNull()
    expect(result).toMatchObject({ first: 5, last: 20, unverified: 16, verified: 0, initIdentical: null })
  })

  it.each([
    ['another content', (bytes: Buffer) => Buffer.from(bytes).fill(1)],
    ['a truncated answer', (bytes: Buffer) => bytes.subarray(0, 10)],
    ['an oversized answer', (bytes: Buffer) => Buffer.concat([bytes, Buffer.alloc(1_000_000)])],
  ])('never takes over %s, and fails after a few tries', async (_, spoilBytes) => {
    const primary = await primaryWith(bufferOf(1, 20))
    let asked = 0
    const url = await spoiled(primary, (path, bytes) => {
      if (!path.includes('/video/19.m4s')) return bytes
      asked += 1
      return spoilBytes(bytes)
    })
    const buffer = bufferOf(1, 18)
    const outcome = await stitch({ buffer, peer: peerAt(url), count: 4, upTo: 19 })
    expect(E.isLeft(outcome) && outcome.left._tag).toBe('PeerWrong')
    expect(E.isLeft(outcome) && outcome.left.message).toContain('a /streams/demo/video/19.m4s')
    expect(asked).toBe(3)
    expect(buffer.get(19)).toBeNull()
  })

  it('gets over an answer that was wrong once', async () => {
    const primary = await primaryWith(bufferOf(1, 20))
    let spoils = 1
    const url = await spoiled(primary, (path, bytes) =>
      path.endsWith('/audio/20.m4s') && spoils-- > 0 ? Buffer.from('nonsense') : bytes,
    )
    const buffer = bufferOf(1, 19)
    const { result } = right(await stitch({ buffer, peer: peerAt(url), count: 4, upTo: null }))
    expect(result).toMatchObject({ copied: 1, verified: 3, last: 20 })
  })

  it('does not wait for a peer that takes the question and does not answer', async () => {
    const primary = await primaryWith(bufferOf(1, 20))
    const url = await spoiled(primary, (path, bytes) => (path.endsWith('.m4s') ? null : bytes))
    const buffer = bufferOf(1, 18)
    const startedAtMs = performance.now()
    const { result } = right(await stitch({ buffer, peer: peerAt(url, 100), count: 4, upTo: null, attemptsMax: 2 }))
    expect(performance.now() - startedAtMs).toBeLessThan(3_000)
    expect(result).toMatchObject({ verified: 2, copied: 0, last: 18 })
  })

  it('refuses a manifest that is none', async () => {
    const primary = await primaryWith(bufferOf(1, 20))
    const url = await spoiled(primary, () => Buffer.from('{"stream":"demo"}'))
    const outcome = await stitch({ buffer: empty(), peer: peerAt(url), count: 4, upTo: null, attemptsMax: 1 })
    expect(E.isLeft(outcome) && outcome.left._tag).toBe('PeerWrong')
  })
})

describe('following a peer', () => {
  const following = (
    buffer: SegmentBuffer,
    peer: Peer,
    more: { readonly encoding?: boolean; readonly until?: number } = {},
  ) => {
    const follower = follow({
      buffer,
      peer,
      count: 16,
      encoding: () => more.encoding ?? false,
      until: () => more.until ?? null,
    })
    closing.push(() => follower.stop())
    return follower
  }

  it('copies each new segment as it comes', async () => {
    const primary = await primaryWith(bufferOf(1, 20))
    const buffer = empty()
    following(buffer, peerAt(primary.url))
    await waitFor(() => buffer.live() === 20)
    encode(primary.buffer, 21)
    await waitFor(() => buffer.live() === 21)
    expect(buffer.oldest()).toBe(5)
    expect(primary.requested).toEqual([])
  })

  it('has only those listed that it has not dealt with yet', async () => {
    const primary = await primaryWith(bufferOf(1, 20))
    const peer = peerAt(primary.url)
    const asked: number[] = []
    const buffer = empty()
    following(buffer, {
      ...peer,
      manifest: (after, from = 0) => {
        asked.push(from)
        return peer.manifest(after, from)
      },
    })
    await waitFor(() => buffer.live() === 20)
    encode(primary.buffer, 22)
    await waitFor(() => buffer.live() === 22)
    encode(primary.buffer, 21)
    encode(primary.buffer, 23)
    await waitFor(() => buffer.get(21) !== null && buffer.live() === 23)
    encode(primary.buffer, 24)
    await waitFor(() => buffer.live() === 24)
    expect([...new Set(asked)]).toEqual([0, 21])
  })

  it('takes both tracks of the next number in one answer, without asking what there is', async () => {
    const primary = await primaryWith(bufferOf(1, 20))
    const peer = peerAt(primary.url)
    let listed = 0
    const buffer = empty()
    following(buffer, {
      ...peer,
      manifest: (...asked) => {
        listed += 1
        return peer.manifest(...asked)
      },
    })
    await waitFor(() => buffer.live() === 20)
    for (const number of [21, 22, 23]) {
      encode(primary.buffer, number)
      await waitFor(() => buffer.live() === number)
    }
    expect(listed).toBe(1)
    expect(buffer.get(23)).toMatchObject({
      verified: true,
      origin: 'copied',
      video: { sha256: primary.buffer.get(23)?.video.sha256 },
      audio: { sha256: primary.buffer.get(23)?.audio.sha256 },
    })
  })

  it.each([
    ['other bytes than the pair promises', (bytes: Buffer) => Buffer.from(bytes).fill(1)],
    ['half a pair', (bytes: Buffer) => bytes.subarray(0, bytes.length / 2)],
    ['a pair with more behind it', (bytes: Buffer) => Buffer.concat([bytes, Buffer.from('more')])],
  ])('does not take over %s, but the tracks one by one', async (_, spoilBytes) => {
    const primary = await primaryWith(bufferOf(1, 20))
    let pairs = 0
    const url = await spoiled(primary, (path, bytes) => {
      if (!path.includes('/pairs/')) return bytes
      pairs += 1
      return spoilBytes(bytes)
    })
    const buffer = empty()
    following(buffer, peerAt(url))
    await waitFor(() => buffer.live() === 20)
    encode(primary.buffer, 21)
    await waitFor(() => buffer.live() === 21)
    expect(pairs).toBeGreaterThan(0)
    expect(buffer.get(21)?.video.sha256).toBe(primary.buffer.get(21)?.video.sha256)
  })

  it('compares what the own encoder makes and copies none of it when it is the same', async () => {
    const primary = await primaryWith(bufferOf(1, 20))
    const buffer = bufferOf(5, 20)
    following(buffer, peerAt(primary.url), { encoding: true })
    encode(primary.buffer, 21)
    encode(buffer, 21)
    await waitFor(() => buffer.get(21)?.verified === true)
    expect(buffer.segments().every(({ origin }) => origin === 'encoded')).toBe(true)
  })

  it('gives the own encoder a moment before it copies', async () => {
    const primary = await primaryWith(bufferOf(1, 20))
    const buffer = bufferOf(5, 18)
    following(buffer, peerAt(primary.url), { encoding: true })
    await waitFor(() => buffer.get(18)?.verified === true)
    expect(buffer.live()).toBe(18)
    encode(primary.buffer, 21)
    await waitFor(() => buffer.live() === 19)
    expect(buffer.get(19)).toMatchObject({ origin: 'copied' })
  })

  it('corrects what was encoded differently, but not from the cut-over on', async () => {
    const primary = await primaryWith(bufferOf(1, 20))
    const buffer = bufferOf(5, 17)
    for (const number of [18, 19, 20]) encode(buffer, number, 'mine')
    following(buffer, peerAt(primary.url), { encoding: true, until: 20 })
    await waitFor(() => buffer.get(19)?.origin === 'copied')
    expect(buffer.get(18)?.video.bytes).toEqual(Buffer.from(segmentOf(18, 'video').bytes))
    encode(primary.buffer, 21)
    encode(primary.buffer, 22)
    await waitFor(() => primary.buffer.live() === 22)
    expect(buffer.get(20)).toMatchObject({ origin: 'encoded', verified: false })
  })

  it('copies what it had left to the cut-over when that is revoked', async () => {
    const primary = await primaryWith(bufferOf(1, 20))
    const buffer = empty()
    let until: number | null = 22
    const follower = follow({
      ...{ buffer, peer: peerAt(primary.url), count: 16 },
      ...{ encoding: () => false, until: () => until },
    })
    closing.push(() => follower.stop())
    await waitFor(() => buffer.live() === 20)
    for (const number of [21, 22, 23]) {
      encode(primary.buffer, number)
      await waitFor(() => follower.peerLive() === number)
    }
    expect(buffer.live()).toBe(21)
    until = null
    encode(primary.buffer, 24)
    await waitFor(() => buffer.live() === 24)
    expect([21, 22, 23, 24].filter((number) => buffer.get(number) === null)).toEqual([])
  })

  it('goes on when the peer comes back', async () => {
    const first = await startOrigin({ buffer: bufferOf(1, 20) })
    const port = Number(new URL(first.url).port)
    const buffer = empty()
    const follower = following(buffer, peerAt(first.url))
    await waitFor(() => buffer.live() === 20)
    await first.close()
    await waitFor(() => follower.reachableSinceMs() === null)
    expect(follower.peerLive()).toBeNull()
    const again = await startOrigin({ buffer: bufferOf(1, 22), port })
    closing.push(() => again.close())
    await waitFor(() => buffer.live() === 22)
    expect(follower.reachableSinceMs()).not.toBeNull()
  })
})
