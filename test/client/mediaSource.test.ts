import { createSession, playInto } from '../../src/client/index.js'
import { ViewerWorld } from '../support/viewerWorld.js'

class Buffer extends EventTarget {
  readonly updating = false
  readonly buffered = { length: 0 }
  timestampOffset = 0
  appendBuffer(): void {
    setImmediate(() => this.dispatchEvent(new Event('updateend')))
  }
}

class Source extends EventTarget {
  constructor() {
    super()
    setImmediate(() => this.dispatchEvent(new Event('sourceopen')))
  }
  addSourceBuffer(): Buffer {
    return new Buffer()
  }
}

/** A picture that plays when it is told to, and not by itself. */
const picture = () => ({
  ...{ src: '', currentTime: 0, paused: true, plays: 0 },
  play(): Promise<void> {
    this.paused = false
    this.plays += 1
    return Promise.resolve()
  },
})

describe('a session that plays into a video element', () => {
  const { createObjectURL } = URL
  beforeEach(() => {
    Object.assign(globalThis, { MediaSource: Source })
    URL.createObjectURL = () => 'blob:source'
  })
  afterEach(() => {
    Reflect.deleteProperty(globalThis, 'MediaSource')
    URL.createObjectURL = createObjectURL
  })

  test.each([
    ['has no Media Source', 'no Media Source', undefined],
    [
      'refuses the codec',
      'codec unknown',
      class extends Source {
        override addSourceBuffer(): Buffer {
          throw new Error('codec unknown')
        }
      },
    ],
    [
      'has no room',
      'quota exceeded',
      class extends Source {
        override addSourceBuffer(): Buffer {
          return Object.assign(new Buffer(), {
            appendBuffer: () => {
              throw new Error('quota exceeded')
            },
          })
        }
      },
    ],
  ])('ends with the reason when the browser %s', async (_, reason, MediaSource) => {
    Object.assign(globalThis, { MediaSource })
    const world = new ViewerWorld()
    const viewer = world.viewer()
    playInto(picture() as unknown as HTMLVideoElement, viewer.session, 1.5)
    await world.run(3_000)
    expect(viewer.said.ended).toHaveLength(1)
    expect(viewer.said.ended[0]?.reason).toContain(reason)
  })

  test('plays through the managed source where there is no other', async () => {
    Object.assign(globalThis, { MediaSource: undefined, ManagedMediaSource: Source })
    const world = new ViewerWorld()
    const viewer = world.viewer()
    const video = { ...picture(), disableRemotePlayback: false }
    playInto(video as unknown as HTMLVideoElement, viewer.session, 1.5)
    await world.run(3_000)
    viewer.session.stop()
    Reflect.deleteProperty(globalThis, 'ManagedMediaSource')
    expect([video.plays, video.disableRemotePlayback]).toEqual([1, true])
  })

  test('begins by itself, stays where the viewer pauses it, and is near live again when it plays', async () => {
    const world = new ViewerWorld()
    const bootstrap = [world.a.url]
    const session = createSession({ stream: world.stream, session: 'viewer-1', bootstrap, ...world.ports() })
    const video = picture()
    playInto(video as unknown as HTMLVideoElement, session, 1.5)
    session.start()
    await world.run(5_000)
    expect([video.paused, video.plays]).toEqual([false, 1])
    video.paused = true
    const pausedAt = video.currentTime
    await world.run(5_000)
    expect([video.paused, video.plays, video.currentTime]).toEqual([true, 1, pausedAt])
    video.paused = false
    await world.run(1_000)
    expect(video.currentTime).toBeGreaterThan(pausedAt + 5)
    session.stop()
  })
})
