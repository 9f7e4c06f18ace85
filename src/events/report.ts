import type { Errors } from 'io-ts'

/** Says in one line what an io-ts decoder did not like: path, expectation and the value found. At most three faults. */
export function describeErrors(errors: Errors, faultsMax = 3): string {
  const lines = errors.slice(0, faultsMax).map((error) => {
    const path = error.context
      .map((entry) => entry.key)
      .filter((key) => key !== '')
      .join('.')
    const expected = error.message ?? `expected ${error.context.at(-1)?.type.name ?? 'another value'}`
    return `${path === '' ? 'value' : path}: ${expected}, found ${preview(error.value)}`
  })
  const more = errors.length - lines.length
  return lines.join('; ') + (more > 0 ? `; and ${more} more` : '')
}

function preview(value: unknown): string {
  if (value === undefined) return 'nothing'
  const text = typeof value === 'number' && !Number.isFinite(value) ? String(value) : jsonOf(value)
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}

/** JSON can be read at any depth, but not be written. */
function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value)
  } catch {
    return 'what is nested too deeply to be shown'
  }
}
