import { conformanceOf, type Conforms } from '../conformance.js'
import { compileReader, type ReadText } from './compileReader.js'
import { shapeOf } from './shape.js'
import { TextBytes } from './textBytes.js'

/** Texts of other shapes are parsed before a shape is compiled: most logs hold a few events of most types. */
const seenMin = 20
/** Shapes of one codec; what has more of them is parsed. */
const shapesMax = 8
/** After so many texts more that no shape fits than that one does, none is tried any more. */
const missesMax = 2_000

/**
 * Reads the JSON texts of one codec, and tells whether they conform to it. Shapes that come often are compiled; everything
 * else goes through `JSON.parse` and the test of the codec, with the same result.
 */
export class TextReader {
  readonly #codec: unknown
  readonly #source: TextBytes
  readonly #test: Conforms
  #readers: ReadText[] = []
  #seen = 0
  #misses = 0
  /** Whether the newest text was exactly what the codec would decode it to. */
  conforms = false

  constructor(codec: unknown, source: TextBytes) {
    this.#codec = codec
    this.#source = source
    this.#test = conformanceOf(codec)
  }

  /** The value of a text. @throws SyntaxError for what is no JSON */
  read(text: string): unknown {
    const readers = this.#readers
    for (let index = 0; index < readers.length; index += 1) {
      const value = readers[index]?.(text)
      if (value === undefined) continue
      if (index > 0) this.#prefer(index)
      if (this.#misses > 0) this.#misses -= 1
      this.conforms = true
      return value
    }
    return this.#parse(text)
  }

  #parse(text: string): unknown {
    const value: unknown = JSON.parse(text)
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
    const reader = shape === null ? null : compileReader(shape, this.#source)
    // A text may have the shape and be written unusually all the same.
    if (reader !== null && reader(text) !== undefined) this.#readers = [...this.#readers, reader]
  }

  /** Texts that look alike come one after the other. */
  #prefer(index: number): void {
    const [found] = this.#readers.splice(index, 1)
    if (found !== undefined) this.#readers.unshift(found)
  }
}
