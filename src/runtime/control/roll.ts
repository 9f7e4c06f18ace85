import type { Clock } from '../../actors/index.js'
import type { Category } from '../../events/index.js'
import type { RollCall, Transport } from '../../messaging/index.js'
import type { FleetIndex } from './fleetIndex.js'
import { rollMessages } from './rollMessages.js'

export interface RollOptions {
  readonly transport: Pick<Transport, 'broadcast'>
  readonly clock: Clock
  readonly index: FleetIndex
  /** Has an actor read what others have appended to its stream. */
  readonly lookAgain: (category: Category, entity: string) => Promise<void>
  readonly warn: (message: string) => void
}

/** What was told before the start is heard by then; then again and again. */
const callAfterMs = [5_000, 10_000]
const everyMs = 30_000
/** When it is looked for what a predecessor had left on its way to the log, after the log has been read. */
const lookAgainAfterMs = [1_000, 5_000, 15_000]

/**
 * Keeps the log and the world together, from the start on. It says what the log knows, so that whoever is missing from it, or
 * knows newer, tells again what it must have lost. And it has the actors look at their streams again: an append that was on its
 * way when its control plane died may be carried out after this one has read the log, and an actor that hears nothing does not
 * look. Returns how to stop.
 */
export function callRoll({ transport, clock, index, lookAgain, warn }: RollOptions): () => void {
  let stopped = false
  const look = async (): Promise<void> => {
    if (stopped) return
    const looks = [
      ...index.servers().map(({ server }) => lookAgain('server', server)),
      ...index.streams().map(({ stream }) => lookAgain('stream', stream)),
    ]
    // A store that is away is looked at the next time.
    await Promise.allSettled(looks)
  }
  const call = (): void => {
    if (stopped) return
    for (const { subject, data } of rollMessages(rollCallOf(index))) {
      try {
        transport.broadcast(subject, data)
      } catch (error) {
        // Nobody hears of this part; the others are none the worse for it.
        warn(`the roll could not be called: ${error instanceof Error ? error.message : String(error)}`)
      }
    }
  }
  const goOn = (): void => {
    if (stopped) return
    call()
    void look()
    clock.after(everyMs, goOn)
  }
  for (const ms of callAfterMs) clock.after(ms, call)
  clock.after(everyMs, goOn)
  for (const ms of lookAgainAfterMs) clock.after(ms, () => void look())
  return () => {
    stopped = true
  }
}

/** What the log knows of servers and routes, for all to compare with what they know. */
const rollCallOf = (index: FleetIndex): RollCall => ({
  servers: index
    .servers()
    .flatMap(({ server, joined }) => (joined === null ? [] : [{ id: server, bootId: joined.bootId }])),
  streams: index.streams().map(({ stream, opened, epochIssued, sequence }) => ({
    ...{ id: stream, run: opened?.run ?? null },
    ...{ epoch: epochIssued, sequence: sequence as RollCall['streams'][number]['sequence'] },
  })),
})
