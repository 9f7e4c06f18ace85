// A real fleet to make faults in: every part a process of its own, its log followed as it is written.
import { randomInt } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { request } from 'undici'
import { mainStream, startFleet } from '../../dist/runtime/fleet/index.js'
import { modelsIn, shelveModels } from '../../dist/runtime/models/index.js'
import { storePathIn } from '../../dist/runtime/dataDirectory.js'
import { followLog } from './log.mjs'
import { until, within } from './waiting.mjs'

const serverIds = ['s1', 's2', 's3']
const startMsMax = 90_000
const settleMsMax = 90_000
/** A dead or hung server is noticed well within this time. */
const steadyMs = 1_000
/** Below the ports that the kernel gives to outgoing connections. */
const ports = { min: 12_000, max: 26_000 }
/** What viewers still play of the time of a fault when the fleet has recovered. */
const afterglowMs = 600

/** What a fleet is like in which nothing was chosen: verified copies at a standby whose encoder is off. */
const ordinary = { standby: 'warm', latencyMs: 3_000, predict: false, restartMediaAfterMs: 1_500 }

/**
 * Starts a fleet and waits until its stream has a standby.
 * `prepare(dataDir)` may set the scene before anything runs; it answers more options and how to clear up.
 */
export async function openStage(options = {}, prepare = async () => ({})) {
  const dataDir = await mkdtemp(join(tmpdir(), 'segue-faults-'))
  const { options: more = {}, clear = async () => undefined, ...props } = await prepare(dataDir)
  const notes = []
  let fleet
  const close = async () => {
    await log?.close()
    await fleet?.release()
    await clear()
    await rm(dataDir, { recursive: true, force: true })
  }
  let log
  try {
    fleet = await startFleet({ ...ordinary, dataDir, port: randomPort(), ...options, ...more }, (note) =>
      notes.push(note),
    )
    await within(startMsMax, Promise.race([fleet.playing, fleet.broken]), 'the fleet did not begin to play')
    // The decisions are derived again here, which takes the models that the fleet has decided with.
    await shelveModels(modelsIn(dataDir))
    log = await followLog(storePathIn(dataDir))
    const stage = new Stage(fleet, log, notes, { ...ordinary, ...options, ...more }, props)
    stage.close = close
    await stage.settled()
    return stage
  } catch (error) {
    const told = notes.map(({ text }) => text).join('\n  ')
    await close()
    throw new Error(`no fleet to try faults in: ${error.message}\n  ${told}`, { cause: error })
  }
}

const randomPort = () => randomInt(ports.min, ports.max)

class Stage {
  constructor(fleet, log, notes, options, props) {
    this.fleet = fleet
    this.log = log
    this.notes = notes
    this.options = options
    /** Whatever the scene has besides the fleet: links between namespaces, a disk, clocks. */
    this.props = props
    /** Ids of events that the HTTP interface has confirmed. */
    this.confirmed = []
  }

  /** The control plane's status as it is now; null when it does not answer. */
  async status() {
    try {
      const signal = AbortSignal.timeout(1_000)
      const { statusCode, body } = await request(`${this.fleet.controlUrl}/api/status`, { signal })
      const status = await body.json()
      return statusCode === 200 ? status : null
    } catch {
      return null
    }
  }

  /** Asks over HTTP until it is accepted; the control plane may be away. Answers the id of the event. */
  async order(method, path) {
    return until(
      async () => {
        try {
          const { statusCode, body } = await request(`${this.fleet.controlUrl}${path}`, { method })
          const answer = await body.json()
          if (statusCode !== 202) return null
          this.confirmed.push(answer.recorded)
          return answer.recorded
        } catch {
          return null
        }
      },
      `${method} ${path} to be accepted`,
      30_000,
    )
  }

  handOver() {
    return this.order('POST', `/api/streams/${mainStream}/handover`)
  }

  /** Who plays which part in the handover that comes next. */
  async cast() {
    const { streams } = await until(() => this.status(), 'a status')
    const [stream] = streams
    return { primary: stream.primary.id, standby: stream.standby.id }
  }

  get viewer() {
    const [viewer] = this.fleet.viewers()
    return viewer
  }

  /** Whether everything is there and nothing is under way; otherwise what is missing. */
  async missing() {
    const status = await this.status()
    if (status === null) return 'the control plane does not answer'
    if (status.broker !== 'connected') return `the broker is ${status.broker}`
    const ready = status.servers.filter(({ standing }) => standing === 'stable' || standing === 'watch')
    if (ready.length < serverIds.length) {
      return `servers: ${status.servers.map(({ id, standing }) => `${id} ${standing}`).join(', ')}`
    }
    const [stream] = status.streams
    if (stream === undefined) return 'no stream'
    if (stream.handover !== null) return `handover ${stream.handover.id} is ${stream.handover.phase}`
    if (stream.standby?.synchronized !== true) return 'no standby is filled'
    return (this.viewer?.bufferMs ?? 0) > 0 ? null : 'the viewer has nothing to play'
  }

  /**
   * Waits until nothing has been missing for a moment: what has just been struck is not noticed at once. Resolves to the
   * beginning of that moment.
   */
  async settled(timeoutMs = settleMsMax) {
    let missing = 'nobody has looked yet'
    let since = null
    await until(
      async () => {
        missing = await this.missing()
        since = missing === null ? (since ?? Date.now()) : null
        return since !== null && Date.now() - since >= steadyMs
      },
      () => `a fleet in good order (${missing})`,
      timeoutMs,
      50,
    )
    return since
  }

  /** Lets the viewer play what came during the fault. */
  async playOn() {
    const ms = this.options.latencyMs + afterglowMs
    const target = (this.viewer?.totals.segments ?? 0) + Math.floor(ms / 320)
    await until(() => (this.viewer?.totals.segments ?? 0) >= target, 'the viewer to play on', 30_000)
  }

  /** The end of what a part of the fleet has written. */
  async said(role) {
    const text = await readFile(join(this.fleet.dataDir, 'logs', `${role}.log`), 'utf8').catch(() => '')
    return text.trim().split('\n')
  }
}
