import { readFileSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import fc from 'fast-check'
import { serverDecider, type ServerState } from '../../../src/actors/index.js'
import { defaultServerPolicy, type HealthSample, type PathQuality, type Payload } from '../../../src/events/index.js'
import { shelve, startWeights } from '../../../src/model/index.js'
import { sampled, serverJoined } from '../../support/serverFacts.js'
import { Story } from '../../support/story.js'

const shelved = shelve(readFileSync('models/prior.bin'))
if (E.isLeft(shelved)) throw new Error(shelved.left.message)
const { artifact, model } = shelved.right

type Sampled = Extract<Payload<'server'>, { readonly type: 'HealthSampled' }>

function sampleOf(server: string, seq: number, changes: Partial<HealthSample> = {}): Sampled {
  const fact = sampled(server, 'b1', seq)
  if (fact.type !== 'HealthSampled') throw new Error('another event')
  return { ...fact, data: { ...fact.data, sample: { ...fact.data.sample, ...changes } } }
}

const judged = (server: string): Story<'server', ServerState> =>
  new Story<'server', ServerState>(serverDecider, server).given(serverJoined(server, 'b1'), {
    type: 'ModelActivated',
    data: { model: model.id, artifact, weights: startWeights },
  })

/** A server of which a whole horizon was seen; the disk of one that is ill becomes slower all the time. */
function warm(server: string, ill: boolean): Story<'server', ServerState> {
  const story = judged(server)
  for (let seq = 0; seq < 330; seq += 1) {
    const { host } = sampleOf(server, seq).data.sample
    const diskLatencyMs = 2 + (seq % 5) / 10 + (ill ? Math.max(0, seq - 100) * 2 : 0)
    story.later(1_000).given(sampleOf(server, seq, { host: { ...host, diskLatencyMs } }))
  }
  return story
}

describe('a sample of no time', () => {
  it.each([1e-5, 1e-300])('is judged alike, whichever server was judged before it: %d ms', (intervalMs) => {
    const outlooks = [false, true].map((afterAnother) => {
      const story = warm('s1', false)
      const another = afterAnother ? warm('s2', true) : story
      expect(another.state.outlook?.risk).toBeGreaterThan(0)
      return story.given(sampleOf('s1', 330, { intervalMs })).state.outlook
    })
    expect(outlooks[0]).not.toBeNull()
    expect(outlooks[1]).toEqual(outlooks[0])
  })
})

/** What a sample may hold by its codec: any finite number. */
const any = fc.oneof(
  fc.constantFrom(0, 1e-5, 1e-300, 0.5, 1_000, 60_000, 1e13, 1e154, 1.7e308, -1.7e308, Number.MIN_VALUE),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
)
const whole = fc.oneof(fc.constantFrom(0, 1, Number.MAX_SAFE_INTEGER), fc.maxSafeNat())
const maybe = fc.option(any)

const path: fc.Arbitrary<PathQuality> = fc.record({ rttMs: maybe, lossRatio: maybe, jitterMs: maybe })
const readings = fc.record({
  takenAt: any,
  intervalMs: any,
  streams: whole,
  viewers: whole,
  host: fc.record({ cpuRatio: maybe, memoryRatio: maybe, diskLatencyMs: maybe }),
  process: fc.record({ cpuCores: any, residentBytes: any, memoryLimitBytes: maybe, eventLoopDelayMs: any }),
  encoder: fc.record({ running: whole, speed: maybe, latenessMs: maybe }),
})

describe('absurd samples', () => {
  it('leave a state that JSON carries, whatever they hold', () => {
    const course = fc.array(fc.tuple(readings, path, fc.constantFrom(1, 1, 1, 2, 1e9)), { minLength: 3, maxLength: 50 })
    fc.assert(
      fc.property(course, (samples) => {
        const story = judged('s1').given({ type: 'PolicyChanged', data: { policy: defaultServerPolicy } })
        let seq = 0
        for (const [{ host, ...changes }, quality, step] of samples) {
          const ordinary = sampleOf('s1', seq).data.sample
          const sample = { ...ordinary, ...changes, host: { ...ordinary.host, ...host } }
          // As the log has it: JSON knows no negative zero.
          const data = JSON.parse(JSON.stringify({ sample, path: quality })) as Sampled['data']
          story.later(1_000).given({ type: 'HealthSampled', data })
          seq += step
        }
        expect(JSON.parse(JSON.stringify(story.state))).toEqual(story.state)
      }),
      { numRuns: 150, seed: 1 },
    )
  })
})
