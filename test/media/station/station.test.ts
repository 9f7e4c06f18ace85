import { decodePayload, type ServerRef } from '../../../src/events/index.js'
import {
  createStation,
  defaultStationTimes,
  type Station,
  type StationTimes,
} from '../../../src/media/station/index.js'
import { connectPeer } from '../../../src/media/stitching/index.js'
import type { FactMessage, Task } from '../../../src/messaging/index.js'
import { waitFor } from '../../support/waitFor.js'
import { startOrigin, type TestOrigin } from '../support/origins.js'
import {
  assignmentOf,
  bufferOf,
  encode,
  format,
  refOf,
  routeOf,
  scriptedEncoders,
  silentLogger,
  type ScriptedEncoders,
} from '../support/scripted.js'

interface World {
  readonly station: Station
  readonly encoders: ScriptedEncoders
  readonly facts: FactMessage[]
  readonly of: (type: string) => ReadonlyArray<Record<string, unknown>>
}

let world: World
let primary: TestOrigin

const begin = (times: Partial<StationTimes> = {}): World => {
  const encoders = scriptedEncoders()
  const facts: FactMessage[] = []
  const station = createStation({
    server: 'b',
    bootId: 'boot-b',
    createEncoder: encoders.create,
    connectPeer: (stream, ref) => connectPeer({ stream, ref, asker: 'b', timeoutMs: 200, totalMsMax: 600 }),
    publishFact: (_subject, fact) => void facts.push(fact),
    askRoute: async () => null,
    checkSuspension: () => undefined,
    nowMs: () => Date.now(),
    times: { ...defaultStationTimes, tickMs: 5, quietMs: 60, ...times },
    logger: silentLogger,
  })
  world = {
    station,
    encoders,
    facts,
    of: (type) => facts.filter((fact) => fact.type === type).map(({ data }) => data as Record<string, unknown>),
  }
  return world
}

beforeEach(async () => {
  primary = await startOrigin({ id: 'a', buffer: bufferOf(1, 40) })
})
afterEach(async () => {
  for (const fact of world.facts) expect(decodePayload('stream', fact)).toMatchObject({ _tag: 'Right' })
  await world.station.stop()
  await primary.close()
})

const peer = (): ServerRef => refOf('a', primary.url)
const activate: Task = { type: 'activate', order: 'h1-a1' }
const synchronize: Task = { type: 'synchronize', order: 's1' }

describe('an assignment', () => {
  it('is refused by another server and by another boot', () => {
    const { station } = begin()
    expect(station.apply(assignmentOf({ server: 'c' }))).toMatchObject({ type: 'refused' })
    expect(station.apply(assignmentOf({ bootId: 'boot-a' }))).toMatchObject({ type: 'refused' })
    expect(station.streams()).toEqual([])
  })

  it('that is older than the present one changes nothing', () => {
    const { station, encoders } = begin()
    station.apply(assignmentOf({ role: 'primary', encode: true, sequence: 5 }))
    expect(station.apply(assignmentOf({ role: 'none', sequence: 4 }))).toEqual({ type: 'done' })
    expect(station.streamOf('demo')?.role()).toBe('primary')
    expect(encoders.newest().stopped()).toBe(false)
  })

  it('that was overtaken by the end of the stream does not bring it back', () => {
    const { station } = begin()
    station.apply(assignmentOf({ role: 'primary', encode: true, sequence: 5 }))
    station.apply(assignmentOf({ role: 'none', sequence: 6 }))
    station.apply(assignmentOf({ role: 'primary', encode: true, sequence: 5 }))
    expect(station.streams()).toEqual([])
  })

  it('given twice starts one encoder', () => {
    const { station, encoders } = begin()
    const assignment = assignmentOf({ role: 'primary', encode: true })
    station.apply(assignment)
    station.apply(assignment)
    expect(encoders.started).toHaveLength(1)
    expect(encoders.newest().options).toMatchObject({ stream: 'demo', backMs: 3_000, feedUrl: 'http://feed.invalid' })
  })

  it('with another format starts over', () => {
    const { station, encoders } = begin()
    station.apply(assignmentOf({ role: 'primary', encode: true }))
    encoders.newest().emit(50)
    station.apply(assignmentOf({ role: 'primary', encode: true, sequence: 2, format: { ...format, height: 720 } }))
    expect(encoders.started.map((encoder) => encoder.stopped())).toEqual([true, false])
    expect(station.streamOf('demo')?.buffer.live()).toBeNull()
  })

  it('beyond what the server can hold is refused', () => {
    const encoders = scriptedEncoders()
    begin()
    const small = createStation(
      {
        server: 'b',
        bootId: 'boot-b',
        createEncoder: encoders.create,
        connectPeer: () => {
          throw new Error('not needed')
        },
        publishFact: () => undefined,
        askRoute: async () => null,
        checkSuspension: () => undefined,
        nowMs: () => 0,
        times: defaultStationTimes,
        logger: silentLogger,
      },
      1,
    )
    expect(small.apply(assignmentOf({ role: 'primary' }))).toEqual({ type: 'done' })
    expect(small.apply(assignmentOf({ stream: 'second', role: 'primary' }))).toMatchObject({ type: 'refused' })
    return small.stop()
  })
})

describe('a standby', () => {
  it('that is warm copies the last N and says so, without an encoder', async () => {
    const { station, encoders, of } = begin()
    station.apply(assignmentOf({ peer: peer(), tasks: [synchronize] }))
    await waitFor(() => of('BufferSynchronized').length === 1)
    expect(of('BufferSynchronized')[0]).toMatchObject({
      order: 's1',
      server: 'b',
      result: { first: 25, last: 40, unverified: 0, initIdentical: true },
    })
    encode(primary.buffer, 41)
    await waitFor(() => station.streamOf('demo')?.buffer.live() === 41)
    expect(encoders.started).toEqual([])
  })

  it('that is cold holds nothing and says so at once', async () => {
    const { station, of } = begin()
    station.apply(assignmentOf({ mode: 'cold', peer: peer(), tasks: [synchronize] }))
    await waitFor(() => of('BufferSynchronized').length === 1)
    expect(station.streamOf('demo')?.buffer.live()).toBeNull()
  })

  it('that is hot is synchronized once its encoder is level', async () => {
    const { station, encoders, of } = begin()
    station.apply(assignmentOf({ mode: 'hot', encode: true, peer: peer(), tasks: [synchronize] }))
    for (let number = 30; number <= 40; number += 1) encoders.newest().emit(number)
    await waitFor(() => of('BufferSynchronized').length === 1)
    const { result } = of('BufferSynchronized')[0] as { result: { verified: number; last: number } }
    expect(result.last).toBeGreaterThanOrEqual(39)
    expect(result.verified).toBeGreaterThanOrEqual(10)
  })

  it('that is being activated is level before it is stitched, and verified after', async () => {
    const { station, encoders, of } = begin()
    station.apply(assignmentOf({ peer: peer() }))
    await waitFor(() => station.streamOf('demo')?.buffer.live() === 40)
    station.apply(assignmentOf({ peer: peer(), encode: true, sequence: 2, tasks: [activate] }))
    for (let number = 33; number <= 37; number += 1) encoders.newest().emit(number)
    expect(of('StandbyActivated')).toEqual([])
    for (let number = 38; number <= 40; number += 1) encoders.newest().emit(number)
    await waitFor(() => of('BufferStitched').length === 1)
    expect(of('StandbyActivated')).toMatchObject([{ order: 'h1-a1', server: 'b' }])
    expect(of('BufferStitched')).toMatchObject([
      { order: 'h1-a1', primaryLiveNumber: 40, result: { unverified: 0, different: 0, initIdentical: true } },
    ])
  })

  it('that is cold fills itself when it is activated', async () => {
    const { station, encoders, of } = begin()
    station.apply(assignmentOf({ mode: 'cold', peer: peer(), encode: true, tasks: [activate] }))
    for (let number = 33; number <= 40; number += 1) encoders.newest().emit(number)
    await waitFor(() => of('BufferStitched').length === 1)
    expect(of('BufferStitched')[0]).toMatchObject({ result: { unverified: 0 } })
    expect(station.streamOf('demo')?.buffer.segments().length).toBeGreaterThanOrEqual(15)
  })

  it('is activated without its primary, when that is dead; nothing is verified then', async () => {
    const { station, encoders, of } = begin()
    station.apply(assignmentOf({ peer: refOf('a', 'http://127.0.0.1:9'), encode: true, tasks: [activate] }))
    for (let number = 33; number <= 40; number += 1) encoders.newest().emit(number)
    encoders.newest().level()
    await waitFor(() => of('BufferStitched').length === 1)
    expect(of('StandbyActivated')).toMatchObject([{ liveNumber: 40 }])
    expect(of('BufferStitched')).toMatchObject([{ primaryLiveNumber: null, result: { unverified: 8, verified: 0 } }])
  })

  it('says the same again, with the same ids, when it is asked again for what it has done', async () => {
    const { station, encoders, facts, of } = begin()
    const ordered = assignmentOf({ peer: peer(), encode: true, tasks: [activate] })
    station.apply(ordered)
    for (let number = 33; number <= 40; number += 1) encoders.newest().emit(number)
    await waitFor(() => of('BufferStitched').length === 1)
    const before = [...facts]
    station.apply({ ...ordered, sequence: 2 })
    expect(facts.slice(before.length)).toEqual(before)
  })

  it('gives a task up that is no longer wanted', async () => {
    const { station, encoders, facts } = begin()
    station.apply(assignmentOf({ peer: peer(), encode: true, tasks: [activate] }))
    station.apply(assignmentOf({ peer: peer(), sequence: 2, tasks: [synchronize] }))
    expect(encoders.newest().stopped()).toBe(true)
    await waitFor(() => facts.some(({ type }) => type === 'BufferSynchronized'))
    expect(facts.map(({ type }) => type)).toEqual(['BufferSynchronized'])
  })

  it('says why it cannot be activated', async () => {
    const { station, encoders, of } = begin()
    station.apply(assignmentOf({ peer: peer(), encode: true, tasks: [activate] }))
    const error = { _tag: 'FfmpegMissing', message: 'ffmpeg was not found' } as const
    encoders.newest().options.onState?.({ type: 'failed', error })
    await waitFor(() => of('StepFailed').length === 1)
    expect(of('StepFailed')).toMatchObject([
      { order: 'h1-a1', server: 'b', step: 'activate', reason: 'FfmpegMissing: ffmpeg was not found' },
    ])
  })

  it('says when its encoder ends again and again', async () => {
    const { station, encoders, of } = begin()
    station.apply(assignmentOf({ peer: peer(), encode: true, tasks: [activate] }))
    for (let times = 0; times < 3; times += 1) {
      encoders.newest().options.onState?.({ type: 'restarting', reason: 'exit code 1', inMs: 1 })
    }
    await waitFor(() => of('StepFailed').length === 1)
    expect(of('StepFailed')[0]?.reason).toContain('exit code 1')
  })

  it('says when the primary gives it nothing to synchronize with', async () => {
    const { station, of } = begin({ synchronizeMsMax: 50 })
    station.apply(assignmentOf({ peer: refOf('a', 'http://127.0.0.1:9'), tasks: [synchronize] }))
    await waitFor(() => of('StepFailed').length === 1)
    expect(of('StepFailed')[0]).toMatchObject({ order: 's1', step: 'synchronize' })
  })

  it('starts its encoder by itself when viewers come and the primary does not answer', async () => {
    const { station, encoders } = begin({ peerBackMs: 60_000 })
    station.apply(assignmentOf({ peer: peer() }))
    const stream = station.streamOf('demo')
    await waitFor(() => stream?.buffer.live() === 40)
    stream?.onViewerRequest(41)
    stream?.onViewerRequest(30)
    await primary.close()
    await waitFor(() => {
      stream?.onViewerRequest(41)
      return encoders.started.length === 1
    })
    expect(encoders.newest().options.backMs).toBeGreaterThanOrEqual(3_000)
  })

  it('leaves its encoder off while the primary answers', async () => {
    const { station, encoders } = begin({ probeEveryMs: 0 })
    station.apply(assignmentOf({ peer: peer() }))
    const stream = station.streamOf('demo')
    await waitFor(() => stream?.buffer.live() === 40)
    for (let times = 0; times < 5; times += 1) {
      stream?.onViewerRequest(41)
      encode(primary.buffer, 41 + times)
      await waitFor(() => stream?.buffer.live() === 41 + times)
    }
    expect(encoders.started).toEqual([])
  })

  it('stops an encoder that it started by itself once the primary is back', async () => {
    const port = Number(new URL(primary.url).port)
    const { station, encoders } = begin({ peerBackMs: 50 })
    station.apply(assignmentOf({ peer: peer() }))
    const stream = station.streamOf('demo')
    await waitFor(() => stream?.buffer.live() === 40)
    await primary.close()
    await waitFor(() => {
      stream?.onViewerRequest(41)
      return encoders.started.length === 1
    })
    primary = await startOrigin({ id: 'a', buffer: bufferOf(1, 42), port })
    await waitFor(() => encoders.newest().stopped())
  })
})

describe('a cut-over', () => {
  it('is reported once its number is complete here', async () => {
    const { station, encoders, of } = begin()
    const route = routeOf({
      epoch: 2,
      cutover: 43,
      primary: refOf('b'),
      standby: peer(),
      previous: peer(),
      sequence: 3,
    })
    const cutover: Task = { type: 'cutover', order: 'h1-a1', epoch: 2, cutover: 43 }
    station.apply(assignmentOf({ peer: peer(), encode: true, route, tasks: [activate, cutover] }))
    for (let number = 36; number <= 42; number += 1) encoders.newest().emit(number)
    await waitFor(() => of('BufferStitched').length === 1)
    expect(of('CutoverReached')).toEqual([])
    encoders.newest().emit(43)
    await waitFor(() => of('CutoverReached').length === 1)
    expect(of('CutoverReached')).toMatchObject([{ epoch: 2, server: 'b', number: 43 }])
  })

  it('keeps the bytes of its own from the cut-over on, whatever the old primary still makes', async () => {
    const { station, encoders } = begin()
    const route = routeOf({ epoch: 2, cutover: 42, primary: refOf('b'), standby: peer(), previous: peer() })
    station.apply(assignmentOf({ peer: peer(), encode: true, route }))
    const buffer = station.streamOf('demo')?.buffer
    for (let number = 36; number <= 43; number += 1) encoders.newest().emit(number, number > 40 ? 'mine' : '')
    for (let number = 41; number <= 44; number += 1) encode(primary.buffer, number)
    await waitFor(() => buffer?.get(41)?.origin === 'copied')
    expect(buffer?.get(42)).toMatchObject({ origin: 'encoded', verified: false })
  })
})

describe('a retired primary', () => {
  const drain: Task = { type: 'drain', order: 'd1', epoch: 1, cutover: 41, deadlineMs: 60_000 }
  const retired = assignmentOf({ role: 'retired', encode: true, sequence: 2, tasks: [drain] })

  const beginAsPrimary = (times: Partial<StationTimes> = {}): World => {
    const made = begin(times)
    made.station.apply(assignmentOf({ role: 'primary', encode: true }))
    for (let number = 30; number <= 42; number += 1) made.encoders.newest().emit(number)
    return made
  }

  it('serves until nobody has asked for a while, then stops encoding', async () => {
    const { station, encoders, of } = beginAsPrimary()
    station.apply(retired)
    const stream = station.streamOf('demo')
    stream?.onViewerRequest(39)
    stream?.onViewerRequest(40)
    expect(stream?.draining()).toBe(true)
    await waitFor(() => of('PrimaryDrained').length === 1)
    expect(of('PrimaryDrained')).toMatchObject([{ epoch: 1, server: 'b', requestsServed: 2, forced: false }])
    await waitFor(() => encoders.newest().stopped())
    expect(stream?.buffer.live()).toBe(42)
  })

  it('does not wait beyond the deadline for viewers that stay', async () => {
    const { station, of } = beginAsPrimary()
    station.apply({ ...retired, tasks: [{ ...drain, deadlineMs: 150 }] })
    await waitFor(() => {
      station.streamOf('demo')?.onViewerRequest(40)
      return of('PrimaryDrained').length === 1
    })
    expect(of('PrimaryDrained')).toMatchObject([{ forced: true }])
  })

  it('forgets its segments after the time they last', async () => {
    const { station, of } = beginAsPrimary()
    station.apply({ ...retired, bufferSegments: 1 })
    await waitFor(() => of('PrimaryDrained').length === 1)
    await waitFor(() => station.streamOf('demo')?.buffer.live() === null)
  })

  it('can be made the standby of its successor', async () => {
    const { station, encoders, of } = beginAsPrimary()
    station.apply(retired)
    await waitFor(() => of('PrimaryDrained').length === 1)
    for (let number = 41; number <= 44; number += 1) encode(primary.buffer, number)
    station.apply(assignmentOf({ sequence: 3, peer: peer(), tasks: [synchronize] }))
    await waitFor(() => of('BufferSynchronized').length === 1)
    expect(station.streamOf('demo')?.buffer.live()).toBe(44)
    expect(encoders.started).toHaveLength(1)
  })
})

describe('the figures of a station', () => {
  it('are null without an encoder, and the worst of all with several', () => {
    const { station, encoders } = begin()
    expect(station.metrics()).toEqual({ encodersRunning: 0, speed: null, latenessMs: null, streams: 0 })
    station.apply(assignmentOf({ role: 'primary', encode: true }))
    expect(station.metrics()).toEqual({ encodersRunning: 1, speed: null, latenessMs: null, streams: 1 })
    encoders.newest().emit(1)
    encoders.newest().level()
    expect(station.metrics()).toEqual({ encodersRunning: 1, speed: 1, latenessMs: 130, streams: 1 })
  })

  it('do not call an encoder late that has just started some seconds back in the feed', () => {
    const { station, encoders } = begin()
    station.apply(assignmentOf({ role: 'primary', encode: true }))
    encoders.newest().emit(1)
    expect(station.metrics()).toMatchObject({ encodersRunning: 1, speed: null, latenessMs: null })
  })
})
