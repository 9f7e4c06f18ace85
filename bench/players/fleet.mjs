// A fleet of real processes whose parts can be broken and mended again.
import { execFileSync } from 'node:child_process'
import { subjects } from '../../dist/messaging/index.js'
import { connectNats } from '../../dist/messaging/nats/index.js'
import { freePort, pause, until } from '../stage.mjs'
import { openFaultyFront } from './faultyFront.mjs'

export const stream = 'main'
const ids = ['s1', 's2', 's3']

export async function openFleet(
  stage,
  { standby = 'hot', fronts = false, predict = false, renditions, audioTracks },
  log,
) {
  const controlPort = await freePort()
  const tracks = [
    ...(renditions === undefined ? [] : ['--renditions', renditions]),
    ...(audioTracks === undefined ? [] : ['--audio-tracks', audioTracks]),
  ]
  const startControl = () =>
    stage.part(
      'control',
      'control',
      '--standby',
      standby,
      '--port',
      String(controlPort),
      ...(predict ? [] : ['--no-predict']),
    )
  let [control] = await Promise.all([startControl(), stage.part('ingest', 'ingest', '--stream', stream, ...tracks)])
  const servers = new Map()
  const mended = []

  const startServer = async (id) => {
    const port = servers.get(id)?.port ?? (await freePort())
    const front = fronts ? (servers.get(id)?.front ?? (await openFaultyFront(port))) : null
    const flags = ['--id', id, '--port', String(port), '--memory-limit', '384', '--allow-faults']
    if (front !== null) flags.push('--public-url', front.url)
    const part = await stage.part(id, 'media', ...flags)
    servers.set(id, { id, port, front, pid: part.pid, url: front?.url ?? part.url })
  }
  for (const id of ids) await startServer(id)
  const transport = await connectNats({ url: stage.natsUrl, name: 'bench' })
  stage.onClose(() => transport.close())
  stage.onClose(() => Promise.all([...servers.values()].map(({ front }) => front?.close())))

  const fetchJson = async (url, options = {}) => {
    const answer = await fetch(url, { signal: AbortSignal.timeout(3_000), ...options })
    if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${await answer.text()}`)
    return answer.json()
  }
  const status = () => fetchJson(`${control.url}/api/status`)
  const streamStatus = async () => (await status().catch(() => null))?.streams.find((each) => each.id === stream)
  const primary = async () => servers.get(await until(async () => (await streamStatus())?.primary?.id, 'primary'))

  const fleet = {
    stream,
    natsPid: stage.natsPid,
    controlUrl: () => control.url,
    urls: () => [...servers.values()].map(({ url }) => url),
    primary,
    standby: async () => servers.get((await streamStatus())?.standby?.id),
    /** Everybody is there, nothing is under way, and the standby holds what it should. */
    async whole() {
      await until(
        async () => {
          const present = await streamStatus()
          return present?.primary && present.standby?.synchronized && present.handover === null && present.live !== null
        },
        'a stream with a synchronised standby',
        90_000,
      )
    },
    async handOver() {
      const to = await until(async () => (await streamStatus())?.standby?.id, 'standby')
      await fetchJson(`${control.url}/api/streams/${stream}/handover`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ by: 'bench' }),
      })
      return to
    },
    async switchedFrom(id, timeoutMs = 60_000) {
      await until(
        async () => {
          const now = (await streamStatus())?.primary?.id
          return now !== undefined && now !== id
        },
        `another primary than ${id}`,
        timeoutMs,
      )
    },
    async drain(id) {
      await fetchJson(`${servers.get(id).url}/drain`, { method: 'POST' })
      mended.push(() => fetchJson(`${servers.get(id).url}/drain`, { method: 'DELETE' }))
    },
    async maintain(id) {
      await fetchJson(`${control.url}/api/servers/${id}/drain`, { method: 'POST' })
      mended.push(() => fetchJson(`${control.url}/api/servers/${id}/drain`, { method: 'DELETE' }))
    },
    async inject(id, fault) {
      const reply = await transport.request(subjects.command(id), { type: 'inject', fault }, 2_000)
      if (reply.type !== 'done') throw new Error(`${id} refused the fault: ${JSON.stringify(reply)}`)
      mended.push(() => fleet.restart(id))
    },
    kill(id) {
      process.kill(servers.get(id).pid, 'SIGKILL')
      mended.push(() => startServer(id))
    },
    hang(id) {
      process.kill(servers.get(id).pid, 'SIGSTOP')
      mended.push(() => fleet.restart(id))
    },
    async restart(id) {
      const { pid } = servers.get(id)
      kill(pid, 'SIGKILL')
      await until(() => !isAlive(pid), `end of ${id}`)
      await startServer(id)
    },
    blackHole(id) {
      const { port } = servers.get(id)
      const rules = [
        ['INPUT', '-p', 'tcp', '--dport', String(port), '-j', 'DROP'],
        ['INPUT', '-p', 'tcp', '--sport', String(port), '-j', 'DROP'],
      ]
      for (const rule of rules) execFileSync('iptables', ['-I', ...rule])
      mended.push(async () => {
        for (const rule of rules) execFileSync('iptables', ['-D', ...rule])
        await fleet.restart(id)
      })
    },
    front: (id, mode) => {
      servers.get(id).front.set(mode)
      mended.push(() => servers.get(id).front.set('pass'))
    },
    killControl(backAfterMs) {
      process.kill(control.pid, 'SIGKILL')
      const back = pause(backAfterMs).then(async () => {
        control = await startControl()
      })
      mended.push(() => back)
    },
    suspendNats(ms) {
      process.kill(stage.natsPid, 'SIGKILL')
      const back = pause(ms).then(() => stage.restartNats())
      mended.push(() => back)
    },
    /** Undoes what was done. */
    async heal() {
      for (const mend of mended.splice(0).reverse()) {
        await Promise.resolve(mend()).catch((error) => log(`mending: ${error.message}`))
      }
    },
  }
  return fleet
}

function kill(pid, signal) {
  try {
    process.kill(pid, signal)
  } catch {
    // It is gone already.
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
