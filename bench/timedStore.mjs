import * as E from 'fp-ts/lib/Either.js'

/**
 * A store with a clock: tells how old each health sample is when the append that records it, with every decision drawn
 * from it, has been committed.
 */
export const timedStore = (store, onTimed) => ({
  ...store,
  append: (streamId, events, options) => async () => {
    const result = await store.append(streamId, events, options)()
    // As fine as the samples' own time is coarse: both come from the machine's one clock.
    const at = performance.timeOrigin + performance.now()
    const sampled = events.find(({ type }) => type === 'HealthSampled')
    if (sampled === undefined || E.isLeft(result) || result.right.repeated) return result
    const { server, bootId, seq, takenAt } = sampled.data.sample
    onTimed({ server, bootId, seq, takenAt, ms: at - takenAt, decisions: events.length - 1 })
    return result
  },
})
