import { afterMs } from '../longTimer.js'
import type { Fleet } from './fleet.js'

/** A fleet whose first segment has not played by then is not going to. */
const startMsMax = 60_000

export interface Duration {
  /** Resolves when somebody wants the end. */
  readonly asked: Promise<unknown>
  /** How long to go on after the first segment has played; null: until somebody asks for the end. */
  readonly durationMs: number | null
}

/** Resolves when a fleet has run for as long as it is to; rejects when it breaks before it plays. */
export async function untilOver(
  { playing, broken }: Pick<Fleet, 'playing' | 'broken'>,
  { asked, durationMs }: Duration,
): Promise<void> {
  const cancels: Array<() => void> = []
  const after = (ms: number): Promise<'time is up'> =>
    new Promise((resolve) => cancels.push(afterMs(ms, () => resolve('time is up'))))
  try {
    const begun = await Promise.race([playing, asked.then(() => 'asked' as const), broken, after(startMsMax)])
    if (typeof begun === 'string') return
    await Promise.race([asked, ...(durationMs === null ? [] : [after(durationMs)])])
  } finally {
    for (const cancel of cancels) cancel()
  }
}
