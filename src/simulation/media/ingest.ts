import { derivedId } from '../../events/index.js'
import { subjects } from '../../messaging/index.js'
import type { SimulatedBroker } from '../world/broker.js'
import { SimulatedProcess } from '../world/process.js'
import type { VirtualTime } from '../world/virtualTime.js'
import { SimulatedFeed } from './feed.js'
import { simulatedFormat } from './format.js'

const tryAgainMs = 250

/** The ingest of one stream: keeps its feed, and says that it is there each time it starts. */
export class SimulatedIngest {
  readonly stream: string
  readonly feed: SimulatedFeed
  readonly process: SimulatedProcess
  readonly #broker: SimulatedBroker
  readonly #time: VirtualTime

  constructor(stream: string, broker: SimulatedBroker, time: VirtualTime) {
    this.stream = stream
    this.feed = new SimulatedFeed(time)
    this.process = new SimulatedProcess(`ingest-${stream}`, time)
    this.#broker = broker
    this.#time = time
  }

  start(): void {
    if (this.process.state !== 'down') return
    this.process.start()
    this.feed.comeBack('crashed')
    const startedAt = Math.floor(this.#time.now())
    const run = `run-${this.process.life}`
    const id = derivedId(startedAt, 'opened', this.stream, run)
    const data = { stream: this.stream, run, format: simulatedFormat, feedUrl: 'http://feed.sim' }
    const opened = { id, occurredAt: startedAt, type: 'StreamOpened', data }
    const transport = this.#broker.connect(this.process)
    const publish = (): void => {
      this.#time.stir()
      transport.publish(subjects.stream(this.stream), opened, { id }).catch(() => {
        this.process.after(tryAgainMs, publish)
      })
    }
    publish()
  }

  crash(): void {
    this.process.crash()
    this.feed.goDown()
  }

  hang(): void {
    this.process.hang()
    this.feed.goDown()
  }

  resume(): void {
    if (this.process.state !== 'hung') return
    this.process.resume()
    this.feed.comeBack('hung')
  }
}
