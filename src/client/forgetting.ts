/** Adds an entry as the newest one, and drops the oldest ones beyond `max`. */
export const remember = <K, V>(known: Map<K, V>, key: K, value: V, max: number): void => {
  known.delete(key)
  known.set(key, value)
  forgetBeyond(known, max)
}

/** Drops what was added first until `max` are left: a bound on everything that is remembered. */
export const forgetBeyond = <K>(
  known: { readonly size: number; keys(): Iterable<K>; delete(key: K): unknown },
  max: number,
): void => {
  for (const oldest of known.keys()) {
    if (known.size <= max) return
    known.delete(oldest)
  }
}
