import type { Conforms } from '../conformance.js'
import { compiled } from './compiled.js'
import type { ListShape, ObjectShape, ScalarShape, Shape } from './shape.js'
import { remembering, type TextBytes } from './textBytes.js'

/** The value of a text; undefined for one that has not the shape, or is written in another way than usual. */
export type ReadText = (text: string) => unknown

/**
 * Compiles a shape to a function that reads texts of it: one pass over the bytes that compares the names, converts the
 * values, tests them and builds the objects. It does what `JSON.parse` and a test of the codec do, in a fraction of the
 * time, because it knows what comes next. Null where code may not be made from text (`--disallow-code-generation-from-strings`).
 */
export function compileReader(shape: Shape, source: TextBytes): ReadText | null {
  const writer = new ReaderSource()
  const result = writer.value(shape)
  const body = `
    const { bytes, view } = source
    return (text) => {
      const length = source.load(text)
      if (length === -1) return undefined
      let at = 0
      ${writer.code()}
      // Everything was read from before this place, and nothing is left.
      return at === length ? ${result} : undefined
    }`
  return compiled<ReadText>({ source, given: writer.given }, body)
}

const fail = 'return undefined'

/** What is read where a condition holds. */
type Branch = readonly [condition: string, write: () => void]

class ReaderSource {
  /** Tests and memories that the code refers to. */
  readonly given: unknown[] = []
  readonly #lines: string[] = []
  #variables = 0
  /** Text that has to come next, whatever the value. */
  #expected = ''

  code(): string {
    this.#flush()
    return this.#lines.join('\n')
  }

  /** Writes the code that reads a value; returns the expression for it. */
  value(shape: Shape): string {
    if (shape.type === 'scalar') return this.#scalar(shape)
    if (!shape.orNull) return this.#structure(shape)
    const name = this.#variable()
    this.#branches(`let ${name} = null`, [
      [isNext('n'), () => void (this.#expected += 'null')],
      ['true', () => this.#line(`${name} = ${this.#structure(shape)}`)],
    ])
    return name
  }

  #structure(shape: ObjectShape | ListShape): string {
    const found = shape.type === 'object' ? this.#object(shape) : this.#list(shape)
    this.#flush()
    if (shape.test === null) return found
    const name = this.#variable()
    this.#line(`const ${name} = ${found}`, `if (!${this.#give(shape.test)}(${name})) ${fail}`)
    return name
  }

  #object({ properties }: ObjectShape): string {
    this.#expected += '{'
    const parts = properties.map(({ name, shape }, index) => {
      this.#expected += `${index === 0 ? '' : ','}${JSON.stringify(name)}:`
      return `${JSON.stringify(name)}: ${this.value(shape)}`
    })
    this.#expected += '}'
    return `{ ${parts.join(', ')} }`
  }

  #list({ item }: ListShape): string {
    this.#expected += item === null ? '[]' : '['
    if (item === null) return '[]'
    const name = this.#variable()
    this.#branches(`const ${name} = []`, [
      [isNext(']'), () => this.#line('at += 1')],
      [
        'true',
        () => {
          this.#line('for (;;) {')
          const found = this.value(item)
          this.#flush()
          this.#line(
            `${name}.push(${found})`,
            'const next = bytes[at]',
            'at += 1',
            `if (next === ${codeOf(']')}) break`,
            `if (next !== ${codeOf(',')}) ${fail}`,
            '}',
          )
        },
      ],
    ])
    return name
  }

  #scalar(shape: ScalarShape): string {
    const { text, number, flag, nothing } = shape
    const name = this.#variable()
    const kinds = [text, number, flag, nothing].filter((kind) => kind !== undefined).length
    if (kinds === 1 && text !== undefined) {
      this.#expected += '"'
      this.#line(...this.#readText(`const ${name}`, text, name))
    } else if (kinds === 1 && number !== undefined) this.#line(...this.#readNumber(`const ${name}`, number, name))
    else this.#branches(`let ${name} = null`, [...this.#kinds(shape, name), ['true', () => this.#line(fail)]])
    return name
  }

  #kinds({ text, number, flag, nothing }: ScalarShape, name: string): Branch[] {
    const kinds: Branch[] = []
    if (nothing === true) kinds.push([isNext('n'), () => void (this.#expected += 'null')])
    if (text !== undefined) {
      kinds.push([isNext('"'), () => this.#line('at += 1', ...this.#readText(name, text, name))])
    }
    for (const value of flag === undefined ? [] : ['true', 'false']) {
      const test = flag === undefined || flag === 'any' ? [] : [`if (!${this.#give(flag)}(${value})) ${fail}`]
      kinds.push([
        isNext(value),
        () => {
          this.#expected += value
          this.#line(`${name} = ${value}`, ...test)
        },
      ])
    }
    if (number !== undefined) {
      kinds.push([`bytes[at] <= ${codeOf('9')}`, () => this.#line(...this.#readNumber(name, number, name))])
    }
    return kinds
  }

  #readText(target: string, text: 'any' | Conforms, name: string): ReadonlyArray<string> {
    const memory = this.#give(remembering(text === 'any' ? null : text))
    return [`${target} = source.text(at, ${memory})`, `if (${name} === undefined) ${fail}`, 'at = source.end']
  }

  #readNumber(target: string, number: 'any' | 'whole' | Conforms, name: string): ReadonlyArray<string> {
    const wrong =
      number === 'whole'
        ? `!(${name} >= 0 && Number.isSafeInteger(${name}))`
        : `${name} !== ${name}${number === 'any' ? '' : ` || !${this.#give(number)}(${name})`}`
    return [`${target} = source.number(at)`, `if (${wrong}) ${fail}`, 'at = source.end']
  }

  /** The first that holds; what has to come next in a branch is compared within it. */
  #branches(before: string, branches: ReadonlyArray<Branch>): void {
    this.#flush()
    this.#line(before)
    branches.forEach(([condition, write], index) => {
      this.#line(`${index === 0 ? '' : 'else '}if (${condition}) {`)
      write()
      this.#flush()
      this.#line('}')
    })
  }

  #flush(): void {
    if (this.#expected === '') return
    const expected = Buffer.from(this.#expected)
    this.#expected = ''
    const wrong: string[] = []
    let at = 0
    for (; at + 4 <= expected.length; at += 4)
      wrong.push(`view.getInt32(at + ${at}, true) !== ${expected.readInt32LE(at)}`)
    for (; at < expected.length; at += 1) wrong.push(`bytes[at + ${at}] !== ${expected[at] ?? 0}`)
    this.#line(`if (${wrong.join(' || ')}) ${fail}`, `at += ${expected.length}`)
  }

  #line(...lines: ReadonlyArray<string>): void {
    this.#flush()
    this.#lines.push(...lines)
  }

  #variable(): string {
    this.#variables += 1
    return `value${this.#variables}`
  }

  #give(thing: unknown): string {
    return `given[${this.given.push(thing) - 1}]`
  }
}

const codeOf = (text: string): number => text.charCodeAt(0)
const isNext = (text: string): string => `bytes[at] === ${codeOf(text)}`
