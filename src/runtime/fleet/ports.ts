import { createServer } from 'node:net'
import { errorMessage, systemErrorCode } from '../systemError.js'

/** The port that was asked for cannot be used. */
export class PortInUse extends Error {
  readonly _tag = 'PortInUse'
}

const portMax = 65_535
const triesMax = 200

/** Gives out ports on which nobody listens, each only once. Another program may still be faster. */
export class Ports {
  readonly #host: string
  readonly #given = new Set<number>()

  constructor(host: string) {
    this.#host = host
  }

  /** Exactly this port. @throws PortInUse */
  async exactly(port: number): Promise<number> {
    const obstacle = this.#given.has(port) ? 'EADDRINUSE' : await obstacleOf(port, this.#host)
    if (obstacle !== null) {
      const why = obstacle === 'EADDRINUSE' ? 'is in use' : `cannot be listened on (${obstacle})`
      throw new PortInUse(`port ${port} on ${this.#host} ${why}; end what listens there or choose another with --port`)
    }
    this.#given.add(port)
    return port
  }

  /** The first free port from `from` on. @throws PortInUse when there is none near. */
  async from(from: number): Promise<number> {
    for (let port = from; port <= Math.min(portMax, from + triesMax); port += 1) {
      if (this.#given.has(port)) continue
      // Taken before it is looked at: another call may look meanwhile.
      this.#given.add(port)
      if ((await obstacleOf(port, this.#host)) === null) return port
      this.#given.delete(port)
    }
    throw new PortInUse(`no port from ${from} on is free on ${this.#host}; choose another with --port`)
  }
}

/** Why nothing can listen there now; null when something could. */
function obstacleOf(port: number, host: string): Promise<string | null> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error) => resolve(systemErrorCode(error) ?? errorMessage(error)))
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(null)))
  })
}
