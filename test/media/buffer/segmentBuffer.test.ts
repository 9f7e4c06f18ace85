import { bufferCapacity, createSegmentBuffer, hashed } from '../../../src/media/buffer/index.js'
import { bufferOf, encode, format, init, segmentOf } from '../support/scripted.js'

const copied = (video: string, audio: string) => ({
  ...{ video: hashed(Buffer.from(video)), audio: hashed(Buffer.from(audio)), others: {} },
})

describe('a segment buffer', () => {
  it('keeps N numbers and a margin, but never less than eight seconds', () => {
    expect(bufferCapacity(format, 16)).toBe(25 + 4)
    expect(bufferCapacity(format, 40)).toBe(44)
  })

  it('counts a number as live only when both of its tracks are there', () => {
    const buffer = createSegmentBuffer(10)
    buffer.putEncoded(segmentOf(7, 'video'))
    expect(buffer.live()).toBeNull()
    expect(buffer.get(7)).toBeNull()
    buffer.putEncoded(segmentOf(7, 'audio'))
    expect(buffer.live()).toBe(7)
    expect(buffer.encodedLive()).toBe(7)
    expect(buffer.get(7)).toMatchObject({ number: 7, origin: 'encoded', verified: false })
  })

  it('drops the oldest numbers', () => {
    const buffer = bufferOf(1, 12, 10)
    expect(buffer.oldest()).toBe(3)
    expect(buffer.get(2)).toBeNull()
    expect(buffer.putEncoded(segmentOf(2, 'video'))).toBe('old')
    expect(buffer.putCopied(2, copied('v', 'a'))).toBe(false)
  })

  it('keeps what was served when the encoder says something else, and says so', () => {
    const buffer = bufferOf(1, 1)
    const before = buffer.get(1)?.video.sha256
    expect(buffer.putEncoded(segmentOf(1, 'video'))).toBe('equal')
    expect(buffer.putEncoded(segmentOf(1, 'video', 'other'))).toBe('different')
    expect(buffer.get(1)?.video.sha256).toBe(before)
  })

  it('lets a copy replace what is there, verified', () => {
    const buffer = bufferOf(1, 1)
    const tracks = copied('the primary says', 'so')
    buffer.putCopied(1, tracks)
    expect(buffer.get(1)).toMatchObject({ origin: 'copied', verified: true, video: { sha256: tracks.video.sha256 } })
  })

  it('counts a number as complete when it has every track that the stream has', () => {
    const buffer = createSegmentBuffer(20, ['v90'])
    encode(buffer, 1)
    expect([buffer.live(), buffer.encodedLive()]).toEqual([null, null])
    buffer.putEncoded({ ...segmentOf(1, 'video', 'small'), track: 'v90' })
    expect([buffer.live(), buffer.encodedLive()]).toEqual([1, 1])
    expect(Object.keys(buffer.get(1)?.others ?? {})).toEqual(['v90'])
    expect(buffer.putCopied(2, copied('without', 'the third'))).toBe(false)
    expect(buffer.putCopied(2, { ...copied('with', 'the third'), others: { v90: hashed(Buffer.from('s')) } })).toBe(
      true,
    )
    expect(buffer.live()).toBe(2)
  })

  it('knows the unbroken run up to the live number', () => {
    const buffer = bufferOf(1, 4)
    encode(buffer, 6)
    encode(buffer, 7)
    expect(buffer.runStart()).toBe(6)
    encode(buffer, 5)
    expect(buffer.runStart()).toBe(1)
  })

  it('wakes whoever waits for a number', async () => {
    const buffer = bufferOf(1, 4)
    const waiting = buffer.waitFor(5, 5_000)
    encode(buffer, 5)
    expect((await waiting)?.number).toBe(5)
  })

  it('gives up waiting at the time-out, at an abort and when it is closed', async () => {
    const buffer = bufferOf(1, 4)
    expect(await buffer.waitFor(9, 5)).toBeNull()
    const abort = new AbortController()
    const aborted = buffer.waitFor(9, 60_000, abort.signal)
    abort.abort()
    expect(await aborted).toBeNull()
    const closed = buffer.waitForLive(9, 60_000)
    buffer.close()
    expect(await closed).toBe(false)
  })

  it('wakes whoever waits for a live number even when that very number never comes', async () => {
    const buffer = bufferOf(1, 4)
    const waiting = buffer.waitForLive(6, 5_000)
    encode(buffer, 8)
    expect(await waiting).toBe(true)
  })

  it('does not pile up tracks that never get their partner', () => {
    const buffer = createSegmentBuffer(10)
    for (let number = 1; number <= 1_000; number += 1) buffer.putEncoded(segmentOf(number, 'video'))
    buffer.putEncoded(segmentOf(1, 'audio'))
    expect(buffer.get(1)).toBeNull()
    buffer.putEncoded(segmentOf(1_000, 'audio'))
    expect(buffer.live()).toBe(1_000)
  })

  it('holds the init segments with their hashes', () => {
    const buffer = createSegmentBuffer(10)
    expect(buffer.init()).toBeNull()
    buffer.putInit(init)
    expect(buffer.init()?.video.sha256).toBe(hashed(init.video).sha256)
  })
})
