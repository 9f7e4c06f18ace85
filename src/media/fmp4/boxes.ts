/** Reading and writing of ISO base media boxes (ISO/IEC 14496-12). */

/** The bytes are not the boxes they should be. */
export interface MalformedMp4 {
  readonly _tag: 'MalformedMp4'
  readonly kind: 'truncated' | 'oversized' | 'unexpected'
  readonly message: string
}

/** Thrown inside this folder only; every public function turns it into a value. */
export class MalformedMp4Error extends Error {
  constructor(readonly detail: MalformedMp4) {
    super(detail.message)
  }
}

export const malformed = (kind: MalformedMp4['kind'], message: string): MalformedMp4Error =>
  new MalformedMp4Error({ _tag: 'MalformedMp4', kind, message })

/** A box in a larger array: payload from `start` to `end`. */
export interface Box {
  readonly type: string
  readonly offset: number
  readonly start: number
  readonly end: number
}

export interface BoxHeader {
  readonly type: string
  readonly headerBytes: number
  readonly sizeBytes: number
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** Null when more bytes are needed to know the header. */
export const readBoxHeader = (bytes: Uint8Array, offset: number, end: number): BoxHeader | null => {
  if (end - offset < 8) return null
  const view = viewOf(bytes)
  const type = String.fromCharCode(...bytes.subarray(offset + 4, offset + 8))
  const short = view.getUint32(offset)
  if (short === 1) {
    if (end - offset < 16) return null
    const size = view.getBigUint64(offset + 8)
    if (size > BigInt(Number.MAX_SAFE_INTEGER)) throw malformed('oversized', `box ${type} claims ${size} bytes`)
    if (size < 16n) throw malformed('unexpected', `box ${type} claims ${size} bytes, less than its own header`)
    return { type, headerBytes: 16, sizeBytes: Number(size) }
  }
  if (short < 8) throw malformed('unexpected', `box ${JSON.stringify(type)} claims ${short} bytes`)
  return { type, headerBytes: 8, sizeBytes: short }
}

/** The boxes that fill a range exactly. */
export const boxesIn = (bytes: Uint8Array, start: number, end: number): ReadonlyArray<Box> => {
  const boxes: Box[] = []
  for (let offset = start; offset < end;) {
    const header = readBoxHeader(bytes, offset, end)
    if (header === null) throw malformed('truncated', `box header cut off at byte ${offset}`)
    const boxEnd = offset + header.sizeBytes
    if (boxEnd > end) throw malformed('truncated', `box ${header.type} ends ${boxEnd - end} bytes after its parent`)
    boxes.push({ type: header.type, offset, start: offset + header.headerBytes, end: boxEnd })
    offset = boxEnd
  }
  return boxes
}

export const childrenOf = (bytes: Uint8Array, box: Box): ReadonlyArray<Box> => boxesIn(bytes, box.start, box.end)

export const only = (boxes: ReadonlyArray<Box>, type: string): Box => {
  const found = boxes.filter((box) => box.type === type)
  const [first] = found
  if (first === undefined || found.length > 1) {
    throw malformed('unexpected', `expected one ${type} box, found ${found.length}`)
  }
  return first
}

/** Follows a path of single boxes, as in moov/trak/mdia. */
export const descend = (bytes: Uint8Array, from: Box, ...path: ReadonlyArray<string>): Box =>
  path.reduce((box, type) => only(childrenOf(bytes, box), type), from)

/** Reads numbers from a box's payload and refuses to leave it. */
export class BoxReader {
  readonly #view: DataView
  readonly #box: Box
  #at: number

  constructor(bytes: Uint8Array, box: Box) {
    this.#view = viewOf(bytes)
    this.#box = box
    this.#at = box.start
  }

  #take(size: number): number {
    const at = this.#at
    if (at + size > this.#box.end) throw malformed('truncated', `box ${this.#box.type} is too short`)
    this.#at = at + size
    return at
  }

  get offset(): number {
    return this.#at
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1))
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2))
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4))
  }

  i32(): number {
    return this.#view.getInt32(this.#take(4))
  }

  u64(): number {
    const value = this.#view.getBigUint64(this.#take(8))
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) {
      throw malformed('unexpected', `box ${this.#box.type} holds the number ${value}, which is too large`)
    }
    return Number(value)
  }

  skip(size: number): void {
    this.#take(size)
  }

  /** Version and flags of a full box. */
  versionAndFlags(): { readonly version: number; readonly flags: number } {
    const word = this.u32()
    return { version: word >>> 24, flags: word & 0xffffff }
  }
}

const ascii = (text: string): Uint8Array => Uint8Array.from(text, (char) => char.charCodeAt(0))

export const concatBytes = (parts: ReadonlyArray<Uint8Array>): Uint8Array => {
  const joined = new Uint8Array(parts.reduce((size, part) => size + part.length, 0))
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}

export const u8 = (...values: ReadonlyArray<number>): Uint8Array => Uint8Array.from(values)

export const u16 = (...values: ReadonlyArray<number>): Uint8Array => {
  const bytes = new Uint8Array(values.length * 2)
  const view = viewOf(bytes)
  values.forEach((value, index) => view.setUint16(index * 2, value))
  return bytes
}

export const u32 = (...values: ReadonlyArray<number>): Uint8Array => {
  const bytes = new Uint8Array(values.length * 4)
  const view = viewOf(bytes)
  values.forEach((value, index) => view.setUint32(index * 4, value))
  return bytes
}

export const u64 = (value: number): Uint8Array => {
  const bytes = new Uint8Array(8)
  viewOf(bytes).setBigUint64(0, BigInt(value))
  return bytes
}

export const text = ascii

export const box = (type: string, ...parts: ReadonlyArray<Uint8Array>): Uint8Array => {
  const size = parts.reduce((sum, part) => sum + part.length, 8)
  return concatBytes([u32(size), ascii(type), ...parts])
}

export const fullBox = (
  type: string,
  version: number,
  flags: number,
  ...parts: ReadonlyArray<Uint8Array>
): Uint8Array => box(type, u32(((version << 24) | flags) >>> 0), ...parts)
