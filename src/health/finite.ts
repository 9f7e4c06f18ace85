/** NaN and infinity have no place in a sample: they become null, "not measurable". */
export const finiteOrNull = (value: number | null | undefined): number | null =>
  typeof value === 'number' && Number.isFinite(value) ? value : null

/** A ratio held within 0..1; null when it is no number. */
export const ratioOrNull = (value: number | null | undefined): number | null => {
  const finite = finiteOrNull(value)
  return finite === null ? null : Math.min(1, Math.max(0, finite))
}

export const rounded = (value: number, digits: number): number => {
  const factor = 10 ** digits
  return Math.round(value * factor) / factor
}

export const roundedOrNull = (value: number | null, digits: number): number | null =>
  value === null ? null : rounded(value, digits)
