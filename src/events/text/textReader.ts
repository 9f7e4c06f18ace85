import { conformanceOf, type Conforms } from '../conformance.js'
import { compileOrder, type OrderText } from './compileOrder.js'
import { compileReader, type ReadText } from './compileReader.js'
import type { OrderedBytes } from './orderedBytes.js'
import { shapeOf, type Shape } from './shape.js'
import { TextBytes } from './textBytes.js'

/** Texts of other shapes are parsed before a shape is compiled: most logs hold a few events of most types. */
const seenMin = 20
/** Shapes of one codec; what has more of them is parsed. */
const shapesMax = 8
/** After so many texts more that no shape fits than that one does, none is tried any more. */
const missesMax = 2_000

/** What was compiled for a shape. */
export class ShapeReader {
  readonly read: ReadText
  readonly #shape: Shape
  #order: OrderText | null | undefined

  constructor(shape: Shape, read: ReadText) {
    this.#shape = shape
    this.read = read
  }

  /** Writes a text that `read` has read in canonical order; false where that cannot be done so. */
  order(text: string, target: OrderedBytes): boolean {
    if (this.#order === undefined) this.#order = compileOrder(this.#shape, target)
    return this.#order !== null && this.#order(text)
  }
}

/**
 * Reads the JSON texts of one codec, and tells whether they conform to it. Shapes that come often are compiled; everything
 * else goes through `JSON.parse` and the test of the codec, with the same result.
 */
export class TextReader {
  readonly #codec: unknown
  readonly #source: TextBytes
  readonly #test: Conforms
  #readers: ShapeReader[] = []
  #seen = 0
  #misses = 0
  /** Whether the newest text was exactly what the codec would decode it to. */
  conforms = false
  /** What has read it; null: JSON.parse. */
  shape: ShapeReader | null = null

  constructor(codec: unknown, source: TextBytes) {
    this.#codec = codec
    this.#source = source
    this.#test = conformanceOf(codec)
  }

  /** The value of a text. @throws SyntaxError for what is no JSON */
  read(text: string): unknown {
    const readers = this.#readers
    for (let index = 0; index < readers.length; index += 1) {
      const reader = readers[index]
      const value = reader?.read(text)
      if (reader === undefined || value === undefined) continue
      if (index > 0) this.#prefer(index)
      if (this.#misses > 0) this.#misses -= 1
      this.conforms = true
      this.shape = reader
      return value
    }
    return this.#parse(text)
  }

  #parse(text: string): unknown {
    const value: unknown = JSON.parse(text)
    this.shape = null
    this.conforms = this.#test(value)
    if (this.conforms) this.#seen += 1
    this.#misses += 1
    if (this.#misses > missesMax) this.#readers = []
    else if (this.conforms && this.#seen >= seenMin && this.#readers.length < shapesMax) this.#learn(text, value)
    return value
  }

  #learn(text: string, value: unknown): void {
    this.#seen = 0
    const shape = shapeOf(this.#codec, value)
    const read = shape === null ? null : compileReader(shape, this.#source)
    if (shape === null || read === null) return
    // A text may have the shape and be written unusually all the same.
    if (read(text) !== undefined) this.#readers = [...this.#readers, new ShapeReader(shape, read)]
  }

  /** Texts that look alike come one after the other. */
  #prefer(index: number): void {
    const [found] = this.#readers.splice(index, 1)
    if (found !== undefined) this.#readers.unshift(found)
  }
}
