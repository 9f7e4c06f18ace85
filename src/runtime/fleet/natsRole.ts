import { spawn, type ChildProcess } from 'node:child_process'
import { watchBroker, type BrokerWatch } from '../../messaging/nats/index.js'
import { errorMessage } from '../systemError.js'
import { startNatsProcess, type NatsProcess } from '../natsProcess.js'

export interface NatsRoleOptions {
  readonly dataDir: string
  readonly host: string
  readonly port: number
  readonly onNote: (text: string, tone: 'bad' | 'good') => void
}

const restartMsMin = 250
const restartMsMax = 5_000
/** Far more than a busy machine or a short suspension costs. */
const silentMsMax = 15_000

/** The fleet's own NATS server: started again at the same address when it dies, and killed when it hangs. */
export class NatsRole {
  readonly #options: NatsRoleOptions
  #running: NatsProcess
  #guard: ChildProcess
  #watching: BrokerWatch | undefined
  #stopped = false
  #timer: NodeJS.Timeout | undefined
  #launching: Promise<void> = Promise.resolve()
  #pauseMs = restartMsMin

  /** @throws NatsProcessFailed */
  static async start(options: NatsRoleOptions): Promise<NatsRole> {
    return new NatsRole(options, await launch(options))
  }

  private constructor(options: NatsRoleOptions, running: NatsProcess) {
    this.#options = options
    this.#running = running
    this.#guard = guard(running.pid)
    this.#watch(running)
  }

  get url(): string {
    return this.#running.url
  }

  get pid(): number {
    return this.#running.pid
  }

  kill(signal: NodeJS.Signals): void {
    process.kill(this.#running.pid, signal)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    this.#guard.kill('SIGKILL')
    await this.#watching?.stop()
    // One that is being started would go on alone.
    await this.#launching
    await this.#running.stop()
  }

  #watch(running: NatsProcess): void {
    const watching = watchBroker({
      url: running.url,
      silentMsMax,
      onHung: (silentMs) => {
        this.#options.onNote(`nats-server has not answered for ${Math.round(silentMs / 1000)} s; it is killed`, 'bad')
        running.kill()
      },
    })
    this.#watching = watching
    void running.exited.then((how) => {
      void watching.stop()
      this.#guard.kill('SIGKILL')
      if (this.#stopped) return
      this.#options.onNote(`nats-server ended (${how}); it is started again`, 'bad')
      this.#later()
    })
  }

  #later(): void {
    this.#timer = setTimeout(() => {
      this.#launching = this.#again()
    }, this.#pauseMs)
    this.#pauseMs = Math.min(restartMsMax, this.#pauseMs * 2)
  }

  async #again(): Promise<void> {
    try {
      const running = await launch(this.#options)
      this.#running = running
      if (this.#stopped) return
      this.#guard = guard(running.pid)
      this.#pauseMs = restartMsMin
      this.#watch(running)
      this.#options.onNote('nats-server runs again', 'good')
    } catch (error) {
      if (this.#stopped) return
      this.#options.onNote(`nats-server: ${errorMessage(error)}`, 'bad')
      this.#later()
    }
  }
}

const launch = ({ dataDir, host, port }: NatsRoleOptions): Promise<NatsProcess> =>
  startNatsProcess({ dataDir, host, port, detached: true })

/**
 * Ends nats-server when this process dies without being able to: a shell that waits for the end of a pipe that only we
 * hold open. The other parts of the fleet notice by themselves.
 */
function guard(pid: number): ChildProcess {
  const script = 'read -r line; kill -9 "$1" 2>/dev/null'
  const shell = spawn('sh', ['-c', script, 'segue-guard', String(pid)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  shell.on('error', () => undefined)
  shell.stdin.on('error', () => undefined)
  shell.unref()
  return shell
}
