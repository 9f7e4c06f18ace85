const dayMs = 86_400_000
let latest = { number: Number.NaN, text: '' }

/** The UTC day of a Unix time in milliseconds, as `2026-11-22`. */
export function dayOf(at: number): string {
  const number = Math.floor(at / dayMs)
  // Nearly every event is of the same day as the one before.
  if (number !== latest.number) latest = { number, text: new Date(number * dayMs).toISOString().slice(0, 10) }
  return latest.text
}
