import { compiled } from './compiled.js'
import type { OrderedBytes } from './orderedBytes.js'
import type { ListShape, ObjectShape, Shape } from './shape.js'

/**
 * Writes a text with its properties in canonical order. Values are copied as they stand in the text: what comes out is
 * canonical JSON where they are written as that asks. For texts that a reader of the same shape has read. False: there was
 * no room for it.
 */
export type OrderText = (text: string) => boolean

/** Compiles a shape to a function that puts texts of it in canonical order; null where `compileReader` gives null. */
export function compileOrder(shape: Shape, target: OrderedBytes): OrderText | null {
  const writer = new OrderSource()
  const name = writer.functionOf(shape)
  const body = `
    const { source, view } = target
    const { bytes } = source
    ${writer.functions.join('\n')}
    return (text) => {
      if (!target.fits(text) || source.load(text) === -1) return false
      ${name}(0)
      return true
    }`
  return compiled<OrderText>({ target }, body)
}

/** Whether all texts of a shape are in canonical order as they are. */
function isOrdered(shape: Shape): boolean {
  if (shape.type === 'scalar') return true
  if (shape.type === 'list') return shape.item === null || isOrdered(shape.item)
  return shape.properties.every(
    (property, index) => isOrdered(property.shape) && (shape.properties[index - 1]?.name ?? '') <= property.name,
  )
}

/** A part of a text that was found: how it is copied. */
interface Piece {
  readonly write: () => void
}

class OrderSource {
  /** Each writes the value that begins at a place, and returns where it ends. */
  readonly functions: string[] = []
  #lines: string[] = []
  #variables = 0
  #names = 0
  #put = ''

  functionOf(shape: Shape): string {
    this.#names += 1
    const name = `order${this.#names}`
    const outside = this.#lines
    this.#lines = []
    if (shape.type !== 'scalar' && shape.orNull) {
      this.#lines.push('if (bytes[at] === 110) { target.copy(at, at + 4); return at + 4 }')
    }
    if (shape.type === 'list' && !isOrdered(shape)) this.#writeList(shape)
    else {
      const { write } = this.#find(shape.type === 'object' ? { ...shape, orNull: false } : shape)
      write()
      this.#flush()
    }
    this.functions.push(`function ${name}(begin) { let at = begin\n${this.#lines.join('\n')}\nreturn at }`)
    this.#lines = outside
    return name
  }

  /** Writes the code that finds a value's parts; what it returns writes the code that copies them. */
  #find(shape: Shape): Piece {
    if (shape.type === 'object' && !shape.orNull && !isOrdered(shape)) return this.#findObject(shape)
    this.#variables += 1
    const [from, to] = [`from${this.#variables}`, `to${this.#variables}`]
    this.#lines.push(`const ${from} = at`, `at = source.${shape.type === 'scalar' ? 'afterScalar' : 'after'}(at)`)
    this.#lines.push(`const ${to} = at`)
    const copy = `target.copy(${from}, ${to})`
    if (isOrdered(shape)) return { write: () => this.#line(copy) }
    const inner = this.functionOf(shape)
    return { write: () => this.#line(`${inner}(${from})`) }
  }

  #findObject({ properties }: ObjectShape): Piece {
    const pieces = properties.map(({ name, shape }) => {
      // The comma, or the brace that opens.
      this.#lines.push(`at += ${1 + Buffer.byteLength(JSON.stringify(name)) + 1}`)
      return { name, piece: this.#find(shape) }
    })
    this.#lines.push(`at += ${properties.length === 0 ? 2 : 1}`)
    const ordered = pieces.toSorted((one, other) => (one.name < other.name ? -1 : 1))
    return {
      write: () => {
        ordered.forEach(({ name, piece }, index) => {
          this.#put += `${index === 0 ? '{' : ','}${JSON.stringify(name)}:`
          piece.write()
        })
        this.#put += ordered.length === 0 ? '{}' : '}'
      },
    }
  }

  #writeList({ item }: ListShape): void {
    if (item === null) return
    const inner = this.functionOf(item)
    this.#put = '['
    this.#line('at += 1', 'if (bytes[at] !== 93) for (;;) {')
    this.#line(`at = ${inner}(at)`, 'if (bytes[at] !== 44) break')
    this.#put = ','
    this.#line('at += 1', '}', 'at += 1')
    this.#put = ']'
    this.#flush()
  }

  #line(...lines: ReadonlyArray<string>): void {
    this.#flush()
    this.#lines.push(...lines)
  }

  #flush(): void {
    if (this.#put === '') return
    const put = Buffer.from(this.#put)
    this.#put = ''
    const padded = Buffer.concat([put, Buffer.alloc(3)])
    this.#lines.push('{ const end = target.length')
    for (let at = 0; at < put.length; at += 4) {
      this.#lines.push(`view.setInt32(end + ${at}, ${padded.readInt32LE(at)}, true)`)
    }
    this.#lines.push(`target.length = end + ${put.length} }`)
  }
}
