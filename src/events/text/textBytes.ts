/** Room for a text in UTF-8; longer ones are read by JSON.parse. */
const textLengthMax = 64 * 1024
/** What a writer of eight bytes at once may write too far. */
const slack = 16
const digitsExactMax = 15
const powers = Array.from({ length: digitsExactMax + 1 }, (_, exponent) => 10 ** exponent)

/** Texts that were read at one place before: most are the same few, again and again. */
export interface Remembered {
  readonly texts: (string | undefined)[]
  /** Null: any text will do. */
  readonly test: ((text: string) => boolean) | null
}
const rememberedMax = 256
const placeMask = rememberedMax - 1

export const remembering = (test: Remembered['test']): Remembered => ({
  texts: new Array<string | undefined>(rememberedMax).fill(undefined),
  test,
})

/**
 * The bytes of one JSON text, and what reads scalars from them. Bytes are read several times as fast as the characters of
 * a string. One is enough for a thread: nothing here outlasts the call that reads a text.
 */
export class TextBytes {
  readonly bytes: Buffer = Buffer.alloc(3 * textLengthMax + slack)
  readonly view: DataView = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.length)
  /** Where what was read last has ended. */
  end = 0
  #text = ''
  #length = 0

  /** Its length; -1 for a text that is too long or is not ASCII. */
  load(text: string): number {
    if (text.length > textLengthMax) return -1
    const length = this.bytes.write(text, 0, 'utf8')
    if (length !== text.length) return -1
    this.bytes[length] = 0
    this.#text = text
    this.#length = length
    return length
  }

  /** Where a scalar ends, in a text that was read before. */
  afterScalar(from: number): number {
    const { bytes } = this
    let at = from + 1
    if (bytes[from] === quote) {
      while (at < this.#length && bytes[at] !== quote) at += 1
      return at + 1
    }
    while (endsScalar[bytes[at] ?? 0] === 0) at += 1
    return at
  }

  /** Where a value ends, in a text that was read before. */
  after(from: number): number {
    const { bytes } = this
    let depth = 0
    let at = from
    while (at < this.#length) {
      const byte = bytes[at]
      if (byte === openBrace || byte === openBracket) {
        depth += 1
        at += 1
      } else if (byte === closeBrace || byte === closeBracket) {
        depth -= 1
        at += 1
      } else if (byte === comma || byte === colon) at += 1
      else at = this.afterScalar(at)
      if (depth === 0) break
    }
    return at
  }

  /** A number as JSON writes it; NaN: it is none, or none that is finite. */
  number(from: number): number {
    const { bytes } = this
    let at = bytes[from] === minus ? from + 1 : from
    const first = at
    let digit = (bytes[at] ?? 0) - zero
    if (!(digit >= 0 && digit <= 9)) return NaN
    let value = digit
    at += 1
    if (digit === 0) {
      digit = (bytes[at] ?? 0) - zero
      if (digit >= 0 && digit <= 9) return NaN
    } else {
      while ((digit = (bytes[at] ?? 0) - zero) >= 0 && digit <= 9) {
        value = value * 10 + digit
        at += 1
      }
    }
    let decimals = 0
    let length = at - first
    if (bytes[at] === point) {
      const start = (at += 1)
      while ((digit = (bytes[at] ?? 0) - zero) >= 0 && digit <= 9) {
        value = value * 10 + digit
        at += 1
      }
      decimals = at - start
      if (decimals === 0) return NaN
      length += decimals
    }
    if (bytes[at] === smallE || bytes[at] === largeE) return this.#withExponent(from, at)
    this.end = at
    // Up to 15 digits are a whole number without rounding, and so is the power of ten: their quotient is rounded once, as
    // it has to be (Clinger, How to read floating point numbers accurately, 1990).
    if (length > digitsExactMax) return this.#convert(from)
    if (decimals > 0) value /= powers[decimals] ?? NaN
    return first === from ? value : -value
  }

  #withExponent(from: number, exponent: number): number {
    const { bytes } = this
    let at = exponent + 1
    if (bytes[at] === plus || bytes[at] === minus) at += 1
    const start = at
    for (let digit; (digit = (bytes[at] ?? 0) - zero) >= 0 && digit <= 9;) at += 1
    if (at === start) return NaN
    this.end = at
    return this.#convert(from)
  }

  #convert(from: number): number {
    const value = Number(this.#text.slice(from, this.end))
    return Number.isFinite(value) ? value : NaN
  }

  /** A text of which the quotation mark before `from` was read; undefined: it needs more than that, or must not be. */
  text(from: number, { texts, test }: Remembered): string | undefined {
    const { bytes } = this
    let at = from
    while (endsText[bytes[at] ?? 0] === 0) at += 1
    if (bytes[at] !== quote) return undefined
    this.end = at + 1
    const length = at - from
    // Names that differ do so near their ends, or in the number behind the first letter.
    const place = ((bytes[at - 1] ?? 0) + 5 * (bytes[at - 2] ?? 0) + 17 * (bytes[from + 2] ?? 0) + length) & placeMask
    const known = texts[place]
    if (known?.length === length && this.#text.startsWith(known, from)) return known
    // A slice keeps the whole text that it was cut from, unless it is short.
    const isSliced = length < slicedFrom || this.#text.length < textKept
    const found = isSliced ? this.#text.slice(from, at) : bytes.toString('latin1', from, at)
    if (test !== null && !test(found)) return undefined
    texts[place] = found
    return found
  }
}

/** The engine copies slices up to this length. */
const slicedFrom = 13
/** Texts so short may be kept by a slice of them. */
const textKept = 256

const [zero, minus, plus, point, smallE, largeE] = [48, 45, 43, 46, 101, 69]
const [quote, backslash, space] = [34, 92, 32]
const [openBrace, closeBrace, openBracket, closeBracket, comma, colon] = [123, 125, 91, 93, 44, 58]

/** By byte: 1 for what ends a text or may not stand in it as it is. */
const endsText = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte < space || byte === quote || byte === backslash ? 1 : 0,
)

/** By byte: 1 for what follows a number, a truth value or null; also the end of the text. */
const endsScalar = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte === 0 || byte === comma || byte === closeBrace || byte === closeBracket ? 1 : 0,
)
