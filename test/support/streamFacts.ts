import { streamDecider, type StreamState } from '../../src/actors/index.js'
import {
  defaultStreamPolicy,
  type DeadlineStep,
  type EventIn,
  type FleetServer,
  type HandoverCause,
  type Payload,
  type StreamFormat,
  type StreamPolicy,
} from '../../src/events/index.js'
import { only, Story } from './story.js'

export type StreamFact = Payload<'stream'>

export const format: StreamFormat = {
  frameRate: { num: 25, den: 1 },
  gopFrames: 8,
  segmentTicks: 28_800,
  width: null,
  height: 360,
  crf: 28,
  preset: 'veryfast',
  sampleRate: 48_000,
  channels: 2,
  renditions: [],
  audioOnly: false,
  sounds: [],
}

export const server = (id: string, changes: Partial<FleetServer> = {}): FleetServer => ({
  id,
  url: `http://127.0.0.1:7${id.slice(1).padStart(3, '0')}`,
  bootId: `${id}-boot`,
  standing: 'stable',
  score: 90,
  primaries: 0,
  roles: 0,
  capacityStreams: 8,
  location: null,
  ...changes,
})

export const opened = (): StreamFact => ({
  type: 'StreamOpened',
  data: { stream: 'main', run: 'run-1', format, feedUrl: 'http://127.0.0.1:7100' },
})
export const policy = (changes: Partial<StreamPolicy> = {}): StreamFact => ({
  type: 'PolicyChanged',
  data: { policy: { ...defaultStreamPolicy, ...changes } },
})
export const fleet = (...servers: ReadonlyArray<FleetServer>): StreamFact => ({
  type: 'FleetObserved',
  data: { servers },
})
export const requested = (
  cause: HandoverCause,
  from: string,
  reference: string | null = 'alarm-1',
  target: string | null = null,
): StreamFact => ({ type: 'HandoverRequested', data: { cause, server: from, reference, target, requestedBy: 'test' } })
export const withdrawn = (reference: string | null = 'alarm-1'): StreamFact => ({
  type: 'HandoverWithdrawn',
  data: { reference, reason: 'the alarm cleared', requestedBy: 'test' },
})
export const activated = (order: string, by: string, liveNumber: number): StreamFact => ({
  type: 'StandbyActivated',
  data: { order, server: by, liveNumber, elapsedMs: 800 },
})
const result = (first: number, last: number) => ({
  first,
  last,
  verified: last - first + 1,
  copied: 0,
  different: 0,
  unverified: 0,
  initIdentical: true,
  hashes: [],
})
export const stitched = (
  order: string,
  by: string,
  liveNumber: number,
  primaryLiveNumber: number | null,
): StreamFact => ({
  type: 'BufferStitched',
  data: {
    order,
    server: by,
    result: result(liveNumber - 15, liveNumber),
    liveNumber,
    primaryLiveNumber,
    elapsedMs: 900,
  },
})
export const reached = (epoch: number, by: string, number: number): StreamFact => ({
  type: 'CutoverReached',
  data: { epoch, server: by, number, reachedAt: 0 },
})
export const drained = (epoch: number, by: string): StreamFact => ({
  type: 'PrimaryDrained',
  data: { epoch, server: by, requestsServed: 12, forced: false, elapsedMs: 1_600 },
})
export const synchronized = (order: string, by: string, last = 1_000): StreamFact => ({
  type: 'BufferSynchronized',
  data: { order, server: by, result: result(last - 15, last), elapsedMs: 300 },
})
export const failed = (order: string, by: string): StreamFact => ({
  type: 'StepFailed',
  data: { order, server: by, step: 'activate', reason: 'ffmpeg died' },
})
export const deadline = (key: string, step: DeadlineStep): StreamFact => ({
  type: 'DeadlinePassed',
  data: { deadline: key, step },
})
export const notified = (epoch: number, sessions: number): StreamFact => ({
  type: 'ClientsNotified',
  data: { epoch, edge: 's2', sessions, acknowledged: sessions, elapsedMs: 12 },
})
export const measured = (epoch: number, sessions: number): StreamFact => ({
  type: 'ViewersMeasured',
  data: { epoch, edge: 's2', sessions, gaps: 0, duplicates: 0, hashMismatches: 0, stalls: 0, stallMsMax: 0 },
})

export type StreamStory = Story<'stream', StreamState>

/** `main` plays from s1, s2 stands by verified, s3 is idle. */
export function onAir(changes: Partial<StreamPolicy> = {}): StreamStory {
  const story: StreamStory = new Story(streamDecider, 'main')
  story.given(policy(changes), fleet(server('s1'), server('s2'), server('s3')), opened())
  return story.given(synchronized(story.state.standby?.order ?? '', 's2')).later(60_000)
}

/** A predicted handover from s1 to s2 has begun. */
export function preparing(changes: Partial<StreamPolicy> = {}): StreamStory {
  return onAir(changes).given(requested('prediction', 's1')).later(900)
}

/** ... and its cut-over is announced. */
export function cutting(changes: Partial<StreamPolicy> = {}): StreamStory {
  const story = preparing(changes)
  const order = story.state.handover?.order ?? ''
  return story.given(activated(order, 's2', 500), stitched(order, 's2', 500, 500)).later(100)
}

/** ... and reached: s2 is primary. */
export function settling(changes: Partial<StreamPolicy> = {}): StreamStory {
  const story = cutting(changes).given(notified(2, 1)).later(900)
  return story.given(reached(2, 's2', story.state.handover?.cutover?.number ?? 0)).later(100)
}

/** The pause before a reason is followed again: which deadline ends it, and in how many ms; null when none is made. */
export const pauseOf = (story: StreamStory) => {
  const wish = streamDecider
    .outstanding(story.state)
    .find((effect) => effect.type === 'deadline' && effect.step === 'retry')
  return wish?.type === 'deadline' ? { deadline: wish.key, ms: wish.at - story.now } : null
}

/** What is decided when the pause is over. */
export const afterPause = (story: StreamStory): ReadonlyArray<EventIn<'stream'>> => {
  const { deadline: key = '', ms = 0 } = pauseOf(story) ?? {}
  return story.later(ms).when(deadline(key, 'retry'))
}

export { only, type EventIn }
