import type { Clock } from '../../actors/index.js'

/** Something to ask for as often as one likes: it is done once, this long after it was first asked for. */
export function onceAfter(clock: Clock, afterMs: number, work: () => void): () => void {
  let waits = false
  return () => {
    if (waits) return
    waits = true
    clock.after(afterMs, () => {
      waits = false
      work()
    })
  }
}
