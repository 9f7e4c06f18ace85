/**
 * JSON in the one form that equal values share, so that it can be hashed and signed (RFC 8785, JSON Canonicalization
 * Scheme): no white space, properties sorted by UTF-16 code units, numbers and strings as ECMAScript writes them.
 * Properties whose value is undefined are left out, as in `JSON.stringify`. Half of a surrogate pair, of which the RFC knows no
 * form, is written as that writes it, as an escape (`\ud83d`): what a log holds must have a hash, whoever wrote it.
 *
 * @throws TypeError for what JSON cannot carry: NaN, infinities, bigint, functions, symbols, undefined outside of an
 * object, and cycles; the message says where.
 */
export function canonicalJson(value: unknown): string {
  try {
    return write(value, 0)
  } catch (error) {
    throw error instanceof Unfit ? error.told() : error
  }
}

type Step = string | number

/** Something that JSON cannot carry. On its way out every level adds where it was, so that nobody has to keep track of it. */
class Unfit extends Error {
  readonly #what: string
  readonly #path: Step[] = []

  constructor(what: string) {
    super(what)
    this.#what = what
  }

  at(step: Step): this {
    this.#path.push(step)
    return this
  }

  told(): TypeError {
    const steps = this.#path.reverse().map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`))
    const where = steps.join('').replace(/^\./, '')
    return new TypeError(`no canonical JSON: the value${where === '' ? '' : ` at ${where}`} ${this.#what}`)
  }
}

// Deeper than any event of ours; a cycle ends here with a message instead of a stack overflow.
const depthMax = 500

function write(value: unknown, depth: number): string {
  switch (typeof value) {
    case 'string':
      return text(value)
    case 'number':
      if (!Number.isFinite(value)) throw new Unfit(`is ${value}`)
      return String(value)
    case 'boolean':
      return value ? 'true' : 'false'
    case 'object':
      if (value === null) return 'null'
      if (depth > depthMax) throw new Unfit('is nested too deeply or contains itself')
      return Array.isArray(value) ? array(value, depth + 1) : object(value, depth + 1)
    default:
      throw new Unfit(`is of type ${typeof value}`)
  }
}

function array(items: ReadonlyArray<unknown>, depth: number): string {
  let index = 0
  try {
    let written = '['
    for (; index < items.length; index += 1) written += (index === 0 ? '' : ',') + write(items[index], depth)
    return `${written}]`
  } catch (error) {
    throw error instanceof Unfit ? error.at(index) : error
  }
}

function object(value: object, depth: number): string {
  let step = 'toJSON()'
  try {
    if ('toJSON' in value && typeof value.toJSON === 'function') return write(value.toJSON(), depth)
    const { names, labels } = orderOf(Object.keys(value))
    let written = ''
    for (let index = 0; index < names.length; index += 1) {
      step = names[index] ?? ''
      const item = (value as Readonly<Record<string, unknown>>)[step]
      if (item === undefined) continue
      written += (written === '' ? '' : ',') + (labels[index] ?? '') + write(item, depth)
    }
    return `{${written}}`
  } catch (error) {
    throw error instanceof Unfit ? error.at(step) : error
  }
}

// -------------------------------------------------------------------------------------
// names in order
// -------------------------------------------------------------------------------------

/** The names of an object's properties: as they come, in canonical order, and as they are written, with their colons. */
interface Order {
  readonly given: ReadonlyArray<string>
  readonly names: ReadonlyArray<string>
  readonly labels: ReadonlyArray<string>
}

// Nearly all objects have the names of one of a few hundred kinds, which are sorted once. By the first name.
const orders = new Map<string, Order[]>()
const ordersMax = 2_000
let ordersKept = 0

function orderOf(given: ReadonlyArray<string>): Order {
  const [first = ''] = given
  const alike = orders.get(first) ?? []
  for (const order of alike) if (isSameList(order.given, given)) return order
  // Default string order is by UTF-16 code units, as the RFC asks.
  const names = given.toSorted()
  const order: Order = { given, names, labels: names.map((name) => `${text(name)}:`) }
  if (ordersKept === ordersMax) {
    orders.clear()
    ordersKept = 0
  }
  orders.set(first, [...(orders.get(first) ?? []), order])
  ordersKept += 1
  return order
}

function isSameList(a: ReadonlyArray<string>, b: ReadonlyArray<string>): boolean {
  if (a.length !== b.length) return false
  for (let index = 0; index < a.length; index += 1) if (a[index] !== b[index]) return false
  return true
}

// -------------------------------------------------------------------------------------
// texts
// -------------------------------------------------------------------------------------

// What needs no escaping is nearly everything: it is quoted without a call of JSON.stringify.
const plain = /^[ !#-[\]-~]*$/

function text(value: string): string {
  if (plain.test(value)) return `"${value}"`
  return JSON.stringify(value)
}
