import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { Transform } from 'node:stream'

/** A TCP proxy whose connections can be broken, and which can refuse new ones or let nothing through. */
export interface FlakyProxy {
  readonly url: string
  readonly breakConnections: () => void
  readonly refuse: (refusing: boolean) => void
  /** What is sent meanwhile is lost, while the connections stay, as in a network that is cut. */
  readonly swallow: (swallowing: boolean) => void
  readonly close: () => Promise<void>
}

export const flakyProxy = async (target: string): Promise<FlakyProxy> => {
  const { hostname, port } = new URL(target)
  const sockets = new Set<Socket>()
  let refusing = false
  let swallowing = false
  const gate = () => new Transform({ transform: (chunk, _encoding, done) => (swallowing ? done() : done(null, chunk)) })
  const server = createServer((socket) => {
    if (refusing) return void socket.destroy()
    const upstream = connect(Number(port), hostname)
    for (const [one, other] of [
      [socket, upstream],
      [upstream, socket],
    ] as const) {
      sockets.add(one)
      one.on('error', () => undefined)
      one.on('close', () => {
        sockets.delete(one)
        other.destroy()
      })
      one.pipe(gate()).pipe(other)
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const breakConnections = (): void => sockets.forEach((socket) => socket.destroy())
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    breakConnections,
    refuse: (value) => (refusing = value),
    swallow: (value) => (swallowing = value),
    close: async () => {
      breakConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
