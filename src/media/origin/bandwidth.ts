import type { StreamFormat } from '../../events/index.js'

export const audioBitsPerS = 128_000

/** A generous guess; a measured figure would differ between servers. */
const bitsPerPixelMax = 0.2

/** What a player should reckon with for a picture of this size. */
export const videoBitsPerS = ({ frameRate: { num, den } }: StreamFormat, width: number, height: number): number =>
  Math.round((width * height * num * bitsPerPixelMax) / den)
