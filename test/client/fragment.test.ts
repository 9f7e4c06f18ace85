import { execFileSync } from 'node:child_process'
import { isMalformed, readFragment, readInit } from '../../src/client/fragment.js'
import { box, fragment, initSegment } from '../support/fragments.js'

const video = { trackId: 1, kind: 'vide', timescale: 90_000 } as const
const audio = { trackId: 2, kind: 'soun', timescale: 48_000, sampleDurationDefault: 1_024 } as const

describe('the reader of init segments', () => {
  test('finds every track with its time scale and default duration', () => {
    expect(readInit(initSegment(video, audio))).toEqual([
      { trackId: 1, kind: 'video', timescale: 90_000, sampleDurationDefault: 0 },
      { trackId: 2, kind: 'audio', timescale: 48_000, sampleDurationDefault: 1_024 },
    ])
  })

  test('says what is wrong with other bytes', () => {
    expect(readInit(new Uint8Array(0))).toEqual({ _tag: 'MalformedFragment', message: 'there is no moov' })
    expect(isMalformed(readInit(Uint8Array.from({ length: 50 }, (_, i) => i * 37)))).toBe(true)
  })
})

describe('the reader of fragments', () => {
  test('adds up the durations of the samples, from an absolute start beyond 32 bits', () => {
    const startTicks = 153_000_000_000_000
    const bytes = fragment({ trackId: 1, startTicks, durations: [3_600, 3_600, 3_601] })
    expect(readFragment(bytes, 0)).toEqual({ trackId: 1, startTicks, endTicks: startTicks + 10_801, samples: 3 })
  })

  test('uses the default of the fragment, then that of the init segment', () => {
    const own = fragment({ trackId: 2, startTicks: 10, durations: 15, sampleDurationDefault: 1_000 })
    expect(readFragment(own, 1_024)).toMatchObject({ endTicks: 10 + 15_000 })
    expect(readFragment(fragment({ trackId: 2, startTicks: 10, durations: 15 }), 1_024)).toMatchObject({
      endTicks: 10 + 15_360,
    })
  })

  test('joins fragments that follow each other and refuses those that do not', () => {
    const first = fragment({ trackId: 1, startTicks: 0, durations: [10, 10] })
    const next = fragment({ trackId: 1, startTicks: 20, durations: [10] })
    const far = fragment({ trackId: 1, startTicks: 30, durations: [10] })
    expect(readFragment(Uint8Array.from([...first, ...next]), 0)).toMatchObject({
      startTicks: 0,
      endTicks: 30,
      samples: 3,
    })
    expect(readFragment(Uint8Array.from([...first, ...far]), 0)).toMatchObject({ _tag: 'MalformedFragment' })
  })

  test('refuses bytes cut off anywhere', () => {
    const whole = fragment({ trackId: 1, startTicks: 0, durations: [10, 10], payload: new Uint8Array(40) })
    for (let length = 0; length < whole.length; length += 1) {
      expect(isMalformed(readFragment(whole.subarray(0, length), 0))).toBe(true)
    }
  })

  test('refuses a run that claims more samples than it has', () => {
    const trun = box('trun', Uint8Array.of(0, 0, 1, 0), Uint8Array.of(0xff, 0xff, 0xff, 0xff))
    const tfhd = box('tfhd', Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1))
    const tfdt = box('tfdt', Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1))
    const bytes = Uint8Array.from([...box('moof', box('traf', tfhd, tfdt, trun)), ...box('mdat')])
    expect(isMalformed(readFragment(bytes, 0))).toBe(true)
  })

  test('reads what ffmpeg writes', () => {
    const source = ['-f', 'lavfi', '-i', 'testsrc2=size=64x64:rate=25:duration=0.64']
    const format = [
      '-f',
      'mp4',
      '-video_track_timescale',
      '90000',
      '-movflags',
      '+frag_keyframe+empty_moov+default_base_moof',
    ]
    const encode = ['-c:v', 'libx264', '-g', '8', '-bf', '0', '-keyint_min', '8', '-sc_threshold', '0']
    const bytes = new Uint8Array(execFileSync('ffmpeg', ['-v', 'error', ...source, ...encode, ...format, 'pipe:1']))
    const init = readInit(bytes)
    expect(init).toMatchObject([{ kind: 'video', timescale: 90_000 }])
    expect(readFragment(bytes, 0)).toMatchObject({ startTicks: 0, endTicks: 16 * 3_600, samples: 16 })
  })
})
