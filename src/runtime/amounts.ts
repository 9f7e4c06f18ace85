/** 0:05, 12:34 or 1:02:03. */
export function clockText(elapsedMs: number): string {
  const seconds = Math.max(0, Math.floor(elapsedMs / 1000))
  const two = (value: number): string => String(value).padStart(2, '0')
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`
}

/** Time of day in the local zone: 17:30:05. */
export const timeOfDay = (at: number): string => new Date(at).toTimeString().slice(0, 8)

/** Long numbers in groups of three: 5 562 017. */
export const grouped = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, ' ')

export const seconds = (ms: number, digits = 1): string => `${(ms / 1000).toFixed(digits)} s`

/** 340 ms up to a second, 1.34 s beyond. */
export const shortTime = (ms: number): string => (Math.abs(ms) < 1000 ? `${Math.round(ms)} ms` : seconds(ms, 2))

export const percent = (share: number): string => `${Math.round(share * 100)} %`

export const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`
