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
