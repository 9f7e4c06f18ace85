// Runs in the browser. The picture's position (video.currentTime) of every player is looked at each 20 ms; when it has
// moved by 60 ms less than the clock between two of its moves, that is a stall. What is appended to the SDK player's
// source buffers is read back box by box: holes and overlaps in its decode times are gaps and duplicates.
import Hls from 'hls.js'
import {
  createPlayerSession,
  hlsConfig,
  hlsTiming,
  isMalformed,
  readFragment,
  readInit,
} from '../../dist/client/index.js'

const lookMs = 20
const stallMsMin = 60
const told = []
const players = {}

class Observed {
  constructor(video) {
    this.video = video
    this.frames = 0
    const onFrame = (now) => {
      if (this.frameAt !== undefined) this.frameGapMs = Math.max(this.frameGapMs, now - this.frameAt)
      this.frameAt = now
      this.frames += 1
      video.requestVideoFrameCallback(onFrame)
    }
    video.requestVideoFrameCallback(onFrame)
    this.reset()
    this.steadySince = performance.now()
    setInterval(() => this.look(), lookMs)
  }

  reset() {
    this.stalls = []
    this.frameGapMs = 0
    this.frameAt = undefined
    this.movedAt = performance.now()
    this.positionS = this.video.currentTime
    this.seeks = 0
  }

  look() {
    const nowMs = performance.now()
    const { currentTime } = this.video
    if (currentTime === this.positionS) return
    // A leap backwards is no time that the picture stood still.
    const stillMs = nowMs - this.movedAt - Math.max(0, currentTime - this.positionS) * 1000
    const begun = this.positionS > 0
    if (begun && stillMs >= stallMsMin) {
      this.stalls.push(Math.round(stillMs))
      this.steadySince = nowMs
    }
    // A leap forwards is a jump that the viewer sees.
    if (begun && stillMs <= -250) this.seeks += 1
    if (!begun) this.steadySince = nowMs
    this.movedAt = nowMs
    this.positionS = currentTime
  }

  get steadyMs() {
    const nowMs = performance.now()
    return this.positionS > 0 && nowMs - this.movedAt < 100 ? nowMs - this.steadySince : 0
  }

  result(hls) {
    this.look()
    const openMs = performance.now() - this.movedAt
    const stalls = openMs >= 200 ? [...this.stalls, Math.round(openMs)] : this.stalls
    const { playingDate } = hls
    return {
      stallMs: stalls.reduce((sum, ms) => sum + ms, 0),
      stalls,
      jumps: this.seeks,
      frameGapMs: Math.round(this.frameGapMs),
      latencyS: playingDate ? (Date.now() - playingDate.getTime()) / 1000 : 0,
      hlsLatencyS: hls.latency,
      hlsTargetS: hls.targetLatency,
      rate: this.video.playbackRate,
      buffer: this.video.buffered.length
        ? this.video.buffered.end(this.video.buffered.length - 1) - this.video.currentTime
        : 0,
    }
  }
}

/**
 * What is appended to the buffers of one player, in order. A segment that takes the place of one of another rendition is no
 * duplicate but `replaced`: hls.js loads a number again when it changes the bitrate.
 */
const nothingAppended = { gaps: 0, duplicates: 0, replaced: 0, segments: 0 }
const sameBytes = (a, b) => a.length === b.length && a.every((byte, index) => byte === b[index])
function readBack(hls, appended) {
  hls.on(Hls.Events.BUFFER_CREATED, (_, { tracks }) => {
    for (const { buffer } of Object.values(tracks)) {
      if (!buffer) continue
      const { appendBuffer } = buffer
      const renditions = []
      let [init, endS, own] = [null, null, null]
      buffer.appendBuffer = function (data) {
        const bytes = data instanceof Uint8Array ? data : new Uint8Array(data.buffer ?? data)
        const found = readInit(bytes)
        if (!isMalformed(found) && found[0]) {
          init = found[0]
          own = renditions.find((each) => sameBytes(each.bytes, bytes)) ?? { bytes: bytes.slice(), endS: -Infinity }
          if (!renditions.includes(own)) renditions.push(own)
        }
        const span = init && readFragment(bytes, init.sampleDurationDefault)
        if (span && !isMalformed(span)) {
          const startS = span.startTicks / init.timescale
          if (endS !== null && startS - endS > 0.001) appended.gaps += 1
          if (startS - own.endS < -0.001) appended.duplicates += 1
          else if (endS !== null && startS - endS < -0.001) appended.replaced += 1
          own.endS = endS = span.endTicks / init.timescale
          appended.segments += 1
        }
        return appendBuffer.call(this, data)
      }
    }
  })
}

function play(name, hls, url) {
  const video = document.getElementById(name)
  const appended = { ...nothingAppended }
  players[name] = { hls, changes: 0, appended, observed: new Observed(video) }
  readBack(hls, appended)
  hls.on(Hls.Events.ERROR, (_, { type, details, fatal }) => tell(`${name}: ${type} ${details}${fatal ? ' FATAL' : ''}`))
  // With several pictures, begin with the largest: the estimate of the bandwidth is not what is measured here.
  hls.on(Hls.Events.MANIFEST_PARSED, (_, { levels }) => {
    if (levels.length > 1) hls.loadLevel = levels.length - 1
  })
  hls.on(Hls.Events.FRAG_BUFFERED, (_, { frag }) => {
    if (!changing || frag.type !== 'main') return
    hls.loadLevel = frag.level === 0 ? hls.levels.length - 1 : 0
    players[name].changes += 1
  })
  hls.on(Hls.Events.FRAG_BUFFERED, (_, { frag }) => {
    if (frag.type === 'audio')
      players[name].sound = `${hls.audioTracks[hls.audioTrack].lang} from ${frag.relurl.split('/')[0]}`
  })
  hls.loadSource(url)
  hls.attachMedia(video)
  video.play().catch(() => undefined)
}

let changing = false
/** Changes the bitrate with every segment of the picture from now on, or stops that. Gives the SDK player's changes. */
window.changeBitrates = (on) => {
  changing = on
  return players.segue.changes
}

/** Chooses a sound track in all players. */
window.chooseSound = (index) => {
  for (const { hls } of Object.values(players)) hls.audioTrack = index
}
/** Languages of the sound whose segment each player has buffered last. */
window.sounds = () => Object.values(players).map(({ sound }) => sound)

const beganAt = performance.now()
const tell = (text) => {
  if (told.length < 60) told.push(`${Math.round(performance.now() - beganAt)} ms ${text}`)
}

window.begin = ({ stream, servers, latencyMs, steered }) => {
  const direct = `${servers[0]}/streams/${stream}/main.m3u8${steered ? '' : '?steering=none'}`
  play('peer', new Hls(hlsTiming(latencyMs)), direct)
  const session = createPlayerSession({
    stream,
    bootstrap: servers,
    latencyMs,
    latencyMsMax: latencyMs,
    agent: 'bench',
  })
  for (const event of ['routed', 'handover', 'trouble', 'stall', 'recovered', 'ended']) {
    session.on(event, (data) => tell(`segue: ${event} ${JSON.stringify(data).slice(0, 160)}`))
  }
  const hls = new Hls(hlsConfig(session))
  play('segue', hls, session.url())
  session.watch(document.getElementById('segue'))
  players.segue.session = session
}

const starts = {}
window.reset = () => {
  for (const [name, { hls, observed }] of Object.entries(players)) starts[name] = observed.result(hls).latencyS
  told.splice(0)
  for (const { appended } of Object.values(players)) Object.assign(appended, nothingAppended)
  for (const { observed } of Object.values(players)) observed.reset()
}

window.read = () => {
  const entries = Object.entries(players).map(([name, { hls, observed }]) => [
    name,
    { ...observed.result(hls), ...players[name].appended },
  ])
  const results = Object.fromEntries(entries)
  return {
    ...results,
    segue: { ...results.segue, totals: players.segue.session.totals() },
    steadyMs: Math.min(...Object.values(players).map(({ observed }) => observed.steadyMs)),
    memory: performance.memory?.usedJSHeapSize ?? null,
    startLatencyS: starts,
    told: [...told],
  }
}
