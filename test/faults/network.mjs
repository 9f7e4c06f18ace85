// A network of its own for each server: namespaces, joined by tunnels whose packets pass through this process, which
// delays, loses or withholds them. Kernels without the netem queue can do it too, and each direction has its own fate.
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** The address of everything that has no namespace of its own. */
export const hubAddress = '10.77.0.1'
const underlay = { here: '10.78.0.1', there: '10.78.0.2' }
const portMin = 4_100
const datagramsWaitingMax = 20_000

/** Why there can be no such network on this machine; null when there can. */
export function networkObstacle() {
  if (process.platform !== 'linux' || process.getuid() !== 0) return 'only root on Linux can make network namespaces'
  for (const program of ['ip', 'unshare', 'nsenter', 'ethtool']) {
    if (spawnSync(program, ['--version']).error !== undefined)
      return `${program} is not installed (apt-get install iproute2 util-linux ethtool)`
  }
  const probe = 'ip link add t0 type vxlan id 1 remote 127.0.0.1 dstport 4100 && ip link add b0 type bridge'
  const made = spawnSync('unshare', ['--net', 'sh', '-c', probe], { encoding: 'utf8' })
  return made.status === 0 ? null : `namespaces with VXLAN and bridges cannot be made here: ${made.stderr.trim()}`
}

const ip = (...args) => execFileSync('ip', args, { stdio: ['ignore', 'pipe', 'pipe'] })
const inside = (pid, ...args) => execFileSync('nsenter', [`--net=/proc/${pid}/ns/net`, 'ip', ...args])

/** A namespace that lives as long as this process, held by a program that waits for the end of a pipe. */
async function openNamespace() {
  const holder = spawn('unshare', ['--net', 'sh', '-c', 'echo held; read -r line'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  await once(holder.stdout, 'data')
  inside(holder.pid, 'link', 'set', 'lo', 'up')
  return { pid: holder.pid, close: () => holder.stdin.end() }
}

/** The way between the hub and one namespace. `out` leads from the namespace to the hub, `in` to it. */
class Link {
  #conditions = { out: {}, in: {} }
  #waiting = 0
  #sockets = []

  constructor(name) {
    this.name = name
  }

  /** Each direction: `delayMs`, `loss` (a share), `cut`. What is left out is as it should be. */
  become(out, into = out) {
    this.#conditions = { out, in: into }
  }

  async open(port) {
    const [hub, far] = await Promise.all([bound(port), bound(port + 1)])
    this.#sockets = [hub, far]
    hub.on('message', (packet) => this.#pass('in', packet, far, port + 1))
    far.on('message', (packet) => this.#pass('out', packet, hub, port))
  }

  close() {
    for (const socket of this.#sockets) socket.close()
    this.#sockets = []
  }

  #pass(direction, packet, socket, port) {
    const { delayMs = 0, loss = 0, cut = false } = this.#conditions[direction]
    if (cut || Math.random() < loss || this.#waiting >= datagramsWaitingMax) return
    const send = () => {
      if (this.#sockets.length > 0) socket.send(packet, port, underlay.there)
    }
    if (delayMs === 0) return send()
    this.#waiting += 1
    setTimeout(() => {
      this.#waiting -= 1
      send()
    }, delayMs)
  }
}

async function bound(port) {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 4 * 1024 * 1024 })
  socket.bind(port, underlay.here)
  await once(socket, 'listening')
  return socket
}

/**
 * Must run in a network namespace of its own, whose end is the end of all devices made here. Answers the links by role
 * and the place of each role for the fleet.
 */
export async function openNetwork(roles, dataDir) {
  ip('link', 'set', 'lo', 'up')
  ip('link', 'add', 'br0', 'type', 'bridge')
  ip('addr', 'add', `${hubAddress}/24`, 'dev', 'br0')
  ip('link', 'set', 'br0', 'up')
  const between = await openNamespace()
  ip('link', 'add', 'under0', 'type', 'veth', 'peer', 'name', 'under1', 'netns', String(between.pid))
  ip('addr', 'add', `${underlay.here}/24`, 'dev', 'under0')
  ip('link', 'set', 'under0', 'up')
  inside(between.pid, 'addr', 'add', `${underlay.there}/24`, 'dev', 'under1')
  inside(between.pid, 'link', 'set', 'under1', 'up')
  const namespaces = [between]
  const links = {}
  const places = {}
  for (const [index, role] of roles.entries()) {
    const namespace = await openNamespace()
    namespaces.push(namespace)
    const host = `10.77.0.${11 + index}`
    const port = portMin + 2 * index
    tunnel(between.pid, `hub${index}`, index + 1, port, process.pid)
    ip('link', 'set', `hub${index}`, 'master', 'br0', 'up')
    tunnel(between.pid, `far${index}`, index + 1, port + 1, namespace.pid)
    inside(namespace.pid, 'addr', 'add', `${host}/24`, 'dev', `far${index}`)
    inside(namespace.pid, 'link', 'set', `far${index}`, 'up')
    links[role] = new Link(role)
    await links[role].open(port)
    places[role] = { host, launcher: await writeLauncher(join(dataDir, `in-${role}.sh`), namespace.pid) }
  }
  return {
    links,
    places,
    close: () => {
      for (const link of Object.values(links)) link.close()
      ip('link', 'del', 'br0')
      ip('link', 'del', 'under0')
      for (const namespace of namespaces) namespace.close()
    },
  }
}

/** One end of a tunnel: its packets leave through the namespace between, wherever the end itself is moved to. */
function tunnel(between, name, id, port, into) {
  const kind = ['type', 'vxlan', 'id', String(id), 'remote', underlay.here, 'dstport', String(port), 'nolearning']
  inside(between, 'link', 'add', name, ...kind)
  // Packets larger than the way can carry would be put together and torn apart on it.
  inside(between, 'link', 'set', name, 'gso_max_segs', '1', 'mtu', '1400')
  // Nor would a checksum be right that is left for a network card to write.
  execFileSync('nsenter', [`--net=/proc/${between}/ns/net`, 'ethtool', '-K', name, 'tx', 'off'], { stdio: 'ignore' })
  inside(between, 'link', 'set', name, 'netns', String(into))
}

async function writeLauncher(path, pid) {
  await writeFile(path, `#!/bin/sh\nexec nsenter --net=/proc/${pid}/ns/net "${process.execPath}" "$@"\n`)
  await chmod(path, 0o755)
  return path
}
