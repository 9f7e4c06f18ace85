/** Whole ones end with their last line's end. */
export const isPlaylist = (text: string): boolean => text.startsWith('#EXTM3U') && text.endsWith('\n')

const mediaSequence = /^#EXT-X-MEDIA-SEQUENCE:(\d{1,16})$/m
const programDate = /^#EXT-X-PROGRAM-DATE-TIME:(.+)$/m
const segmentUri = /(?:^|\/)(\d{1,16})\.m4s(?:\?.*)?$/

/** Newest segment number that a media playlist lists; null when it lists none of ours. */
export const newestListed = (text: string): number | null => {
  const lines = text.trimEnd().split('\n')
  for (let at = lines.length - 1; at >= 0; at -= 1) {
    const found = segmentUri.exec(lines[at]?.trim() ?? '')?.[1]
    if (found !== undefined) return Number(found)
  }
  return null
}

/**
 * The same playlist without the numbers below `first`, so that MEDIA-SEQUENCE never goes back (RFC 8216, 6.2.2). Text
 * that is no playlist of ours is left as it is.
 */
export const fromNumber = (text: string, first: number): string => {
  const sequence = Number(mediaSequence.exec(text)?.[1] ?? NaN)
  if (!(sequence < first)) return text
  const lines = text.trimEnd().split('\n')
  const kept: string[] = []
  let waiting: string[] = []
  let droppedS = 0
  let left = 0
  for (const line of lines) {
    const number = segmentUri.exec(line)?.[1]
    if (line.startsWith('#EXTINF:')) waiting.push(line)
    else if (number === undefined) kept.push(line)
    else {
      if (Number(number) < first) droppedS += Number(/^#EXTINF:([\d.]+)/.exec(waiting.at(-1) ?? '')?.[1] ?? 0)
      else {
        left += 1
        kept.push(...waiting, line)
      }
      waiting = []
    }
  }
  if (left === 0) return text
  const trimmed = `${kept.join('\n')}\n`.replace(mediaSequence, `#EXT-X-MEDIA-SEQUENCE:${first}`)
  return trimmed.replace(programDate, (line, date: string) => {
    const atMs = Date.parse(date)
    return Number.isNaN(atMs)
      ? line
      : `#EXT-X-PROGRAM-DATE-TIME:${new Date(atMs + Math.round(droppedS * 1000)).toISOString()}`
  })
}

/** What the first number of a playlist is; null when it does not say. */
export const firstListed = (text: string): number | null => {
  const found = mediaSequence.exec(text)?.[1]
  return found === undefined ? null : Number(found)
}
