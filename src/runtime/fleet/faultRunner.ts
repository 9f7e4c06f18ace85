import * as E from 'fp-ts/lib/Either.js'
import { CommandReply, subjects, type Command, type Fault, type Transport } from '../../messaging/index.js'
import { errorMessage } from '../systemError.js'
import type { PlannedFault } from './faults.js'

export interface FaultRunnerOptions {
  readonly faults: ReadonlyArray<PlannedFault>
  readonly transport: Transport
  readonly memoryLimitMb: number
  /** Who leads the main stream at this moment; null when nobody is known to. */
  readonly primary: () => Promise<string | null>
  readonly kill: (server: string, signal: NodeJS.Signals) => void
  readonly onNote: (text: string, tone: 'accent' | 'bad') => void
}

/** Share of the memory limit that a leak takes each second. */
const leakShare = 0.04
const cpuRampMs = 8_000
const diskRampMs = 20_000
const commandTimeoutMs = 2_000

/** Makes the planned faults, each at whoever leads the main stream when its time has come. */
export class FaultRunner {
  readonly #options: FaultRunnerOptions
  #timers: ReadonlyArray<NodeJS.Timeout> = []

  constructor(options: FaultRunnerOptions) {
    this.#options = options
  }

  /** The first segment plays: all times count from now. */
  begin(): void {
    this.#timers = this.#options.faults.map((fault) => setTimeout(() => void this.#strike(fault), fault.atS * 1000))
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer)
  }

  async #strike(fault: PlannedFault): Promise<void> {
    const { primary, onNote } = this.#options
    try {
      const server = await primary()
      if (server === null) return onNote(`fault ${fault.kind}: no server leads the stream, so none is hit`, 'bad')
      onNote(`fault ${fault.kind} at ${server}: ${await this.#make(fault, server)}`, 'accent')
    } catch (error) {
      onNote(`fault ${fault.kind}: ${errorMessage(error)}`, 'bad')
    }
  }

  async #make({ kind }: PlannedFault, server: string): Promise<string> {
    const { kill, memoryLimitMb } = this.#options
    switch (kind) {
      case 'crash':
        kill(server, 'SIGKILL')
        return 'its process was killed (SIGKILL)'
      case 'hang':
        kill(server, 'SIGSTOP')
        return 'its process was suspended (SIGSTOP)'
      case 'leak': {
        const mbPerS = memoryLimitMb * leakShare
        await this.#inject(server, { type: 'leak', bytesPerS: Math.round(mbPerS * 1024 * 1024) })
        return `it takes ${mbPerS.toFixed(1)} MB more each second, up to its limit of ${memoryLimitMb} MB`
      }
      case 'cpu':
        await this.#inject(server, { type: 'cpu', rampMs: cpuRampMs })
        return 'it burns more and more CPU time'
      case 'disk':
        await this.#inject(server, { type: 'disk', rampMs: diskRampMs })
        return 'more and more writes wait for its disk'
    }
  }

  async #inject(server: string, fault: Fault): Promise<void> {
    const command: Command = { type: 'inject', fault }
    const reply = CommandReply.decode(
      await this.#options.transport.request(subjects.command(server), command, commandTimeoutMs),
    )
    if (E.isLeft(reply)) throw new Error(`${server} gave no answer that can be understood`)
    if (reply.right.type === 'refused') throw new Error(`${server} refused: ${reply.right.reason}`)
  }
}
