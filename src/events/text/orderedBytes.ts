import type { TextBytes } from './textBytes.js'

/** Longer texts are written out by `canonicalJson`. */
const lengthMax = 128 * 1024
/** What is copied four bytes at once may reach too far. */
const slack = 64

/** Bytes that are put together, piece by piece: names, and values copied from a text. */
export class OrderedBytes {
  readonly source: TextBytes
  readonly bytes: Buffer = Buffer.alloc(lengthMax + slack)
  readonly view: DataView = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.length)
  length = 0

  constructor(source: TextBytes) {
    this.source = source
  }

  /** Whether there is room for a text. */
  fits(text: string): boolean {
    return this.length + text.length <= lengthMax
  }

  /** A text as it is; false for one that JSON would write in another way, or that is not ASCII. */
  plain(text: string): boolean {
    if (!this.fits(text)) return false
    const { bytes, length } = this
    for (let index = 0; index < text.length; index += 1) {
      const code = text.charCodeAt(index)
      if (code < 32 || code > 126 || code === 34 || code === 92) return false
      bytes[length + index] = code
    }
    this.length = length + text.length
    return true
  }

  /** What is known to be ASCII, e.g. names in quotation marks. */
  ascii(text: string): void {
    const { bytes, length } = this
    for (let index = 0; index < text.length; index += 1) bytes[length + index] = text.charCodeAt(index)
    this.length = length + text.length
  }

  /** A part of the source's text. */
  copy(from: number, to: number): void {
    const { view, length } = this
    const source = this.source.view
    for (let at = from, end = length; at < to; at += 4, end += 4) view.setInt32(end, source.getInt32(at, true), true)
    this.length = length + to - from
  }
}
