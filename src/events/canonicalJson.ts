/**
 * JSON in the one form that equal values share, so that it can be hashed and signed (RFC 8785, JSON Canonicalization
 * Scheme): no white space, properties sorted by UTF-16 code units, numbers and strings as ECMAScript writes them.
 * Properties whose value is undefined are left out, as in `JSON.stringify`.
 *
 * @throws TypeError for what JSON cannot carry: NaN, infinities, bigint, functions, symbols, undefined outside of an
 * object, lone surrogates, and cycles; the message says where.
 */
export function canonicalJson(value: unknown): string {
  return write(value, '', 0)
}

// Deeper than any event of ours; a cycle ends here with a message instead of a stack overflow.
const depthMax = 500

function write(value: unknown, path: string, depth: number): string {
  if (depth > depthMax) throw unfit(path, 'is nested too deeply or contains itself')
  switch (typeof value) {
    case 'string':
      return text(value, path)
    case 'number':
      if (!Number.isFinite(value)) throw unfit(path, `is ${value}`)
      return JSON.stringify(value)
    case 'boolean':
      return value ? 'true' : 'false'
    case 'object':
      return value === null ? 'null' : composite(value, path, depth)
    default:
      throw unfit(path, `is of type ${typeof value}`)
  }
}

function composite(value: object, path: string, depth: number): string {
  if (Array.isArray(value)) {
    return `[${value.map((item, index) => write(item, `${path}[${index}]`, depth + 1)).join(',')}]`
  }
  if ('toJSON' in value && typeof value.toJSON === 'function') return write(value.toJSON(), path, depth + 1)
  const entries = Object.entries(value).filter(([, item]) => item !== undefined)
  // Default string order is by UTF-16 code units, as the RFC asks.
  entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  return `{${entries.map(([key, item]) => `${text(key, path)}:${write(item, `${path}.${key}`, depth + 1)}`).join(',')}}`
}

const loneSurrogate = /\p{Surrogate}/u

function text(value: string, path: string): string {
  if (loneSurrogate.test(value)) throw unfit(path, 'contains half of a surrogate pair')
  return JSON.stringify(value)
}

const unfit = (path: string, what: string) =>
  new TypeError(`no canonical JSON: the value${path === '' ? '' : ` at ${path.replace(/^\./, '')}`} ${what}`)
