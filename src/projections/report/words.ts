/** Numbers as people read them; `-` where there is none. */
export const whole = (value: number | null): string => (value === null ? '-' : value.toLocaleString('en'))

export const share = (value: number | null): string => (value === null ? '-' : `${(100 * value).toFixed(1)} %`)

export function millis(value: number | null): string {
  if (value === null) return '-'
  return Math.abs(value) < 10_000 ? `${Math.round(value)} ms` : `${(value / 1_000).toFixed(1)} s`
}
