export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

/** What the promise resolves to, or the error when it takes longer. Leaves no timer behind. */
export async function within(ms, promise, message) {
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(message)), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

/** Asks until the answer is neither null, undefined nor false, and resolves to it. */
export async function until(condition, what, timeoutMs = 20_000, everyMs = 20) {
  const endsAt = performance.now() + timeoutMs
  for (;;) {
    const value = await condition()
    if (value !== undefined && value !== null && value !== false) return value
    if (performance.now() > endsAt) {
      throw new Error(`waited ${timeoutMs} ms in vain for ${typeof what === 'function' ? what() : what}`)
    }
    await pause(everyMs)
  }
}
