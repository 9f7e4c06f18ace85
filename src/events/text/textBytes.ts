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

  /** Its length; -1 for a text that is too long or is not ASCII. */
  load(text: string): number {
    if (text.length > textLengthMax) return -1
    const length = this.bytes.write(text, 0, 'utf8')
    if (length !== text.length) return -1
    this.bytes[length] = 0
    this.#text = text
    return length
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
    let hash = 0
    let at = from
    for (let byte = bytes[at] ?? 0; byte !== quote; byte = bytes[at] ?? 0) {
      if (byte < space || byte === backslash) return undefined
      hash = (Math.imul(hash, 31) + byte) | 0
      at += 1
    }
    this.end = at + 1
    const place = hash & (rememberedMax - 1)
    const length = at - from
    const known = texts[place]
    if (known?.length === length && this.#text.startsWith(known, from)) return known
    // A longer slice of a string would keep the whole of it.
    const found = length < slicedFrom ? this.#text.slice(from, at) : bytes.toString('latin1', from, at)
    if (test !== null && !test(found)) return undefined
    texts[place] = found
    return found
  }
}

const slicedFrom = 13

const [zero, minus, plus, point, smallE, largeE] = [48, 45, 43, 46, 101, 69]
const [quote, backslash, space] = [34, 92, 32]
