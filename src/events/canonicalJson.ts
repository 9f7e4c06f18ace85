/**
 * JSON in the one form that equal values share, so that it can be hashed and signed (RFC 8785, JSON Canonicalization
 * Scheme): no white space, properties sorted by UTF-16 code units, numbers and strings as ECMAScript writes them.
 * Properties whose value is undefined are left out, as in `JSON.stringify`.
 *
 * @throws TypeError for what JSON cannot carry: NaN, infinities, bigint, functions, symbols, undefined outside of an
 * object, lone surrogates, and cycles; the message says where.
 */
export function canonicalJson(value: unknown): string {
  const path: Path = []
  return write(value, path)
}

/** Where the value being written stands. Kept as a list, because a text of it is wanted only when something is wrong. */
type Path = (string | number)[]

// Deeper than any event of ours; a cycle ends here with a message instead of a stack overflow.
const depthMax = 500

function write(value: unknown, path: Path): string {
  switch (typeof value) {
    case 'string':
      return text(value, path)
    case 'number':
      if (!Number.isFinite(value)) throw unfit(path, `is ${value}`)
      return String(value)
    case 'boolean':
      return value ? 'true' : 'false'
    case 'object':
      return value === null ? 'null' : composite(value, path)
    default:
      throw unfit(path, `is of type ${typeof value}`)
  }
}

function composite(value: object, path: Path): string {
  if (path.length > depthMax) throw unfit(path, 'is nested too deeply or contains itself')
  if (Array.isArray(value)) return array(value, path)
  if ('toJSON' in value && typeof value.toJSON === 'function') {
    path.push('toJSON()')
    const written = write(value.toJSON(), path)
    path.pop()
    return written
  }
  // Default string order is by UTF-16 code units, as the RFC asks.
  const keys = sortedKeys(Object.keys(value))
  let written = ''
  for (const key of keys) {
    const item = (value as Readonly<Record<string, unknown>>)[key]
    if (item === undefined) continue
    const name = text(key, path)
    path.push(key)
    written += `${written === '' ? '' : ','}${name}:${write(item, path)}`
    path.pop()
  }
  return `{${written}}`
}

function array(items: ReadonlyArray<unknown>, path: Path): string {
  let written = ''
  for (let index = 0; index < items.length; index += 1) {
    path.push(index)
    written += index === 0 ? write(items[index], path) : `,${write(items[index], path)}`
    path.pop()
  }
  return `[${written}]`
}

function sortedKeys(keys: string[]): ReadonlyArray<string> {
  for (let index = 1; index < keys.length; index += 1) {
    // Most objects were written in order already, or have few properties.
    if ((keys[index - 1] ?? '') > (keys[index] ?? '')) return keys.sort()
  }
  return keys
}

// What needs no escaping is nearly everything: it is quoted without a call of JSON.stringify.
const plain = /^[ !#-[\]-~]*$/
const loneSurrogate = /\p{Surrogate}/u

function text(value: string, path: Path): string {
  if (plain.test(value)) return `"${value}"`
  if (loneSurrogate.test(value)) throw unfit(path, 'contains half of a surrogate pair')
  return JSON.stringify(value)
}

function unfit(path: Path, what: string): TypeError {
  const where = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`)).join('')
  return new TypeError(`no canonical JSON: the value${where === '' ? '' : ` at ${where.replace(/^\./, '')}`} ${what}`)
}
