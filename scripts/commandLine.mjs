import { InvalidArgumentError } from 'commander'

/**
 * Reads the number of an option; what is none, or is out of bounds, is said by Commander together with the option's name.
 * @param {{ least?: number, above?: number, atMost?: number, whole?: boolean }} bounds
 * @returns {(text: string) => number}
 */
export function numberOption({ least = -Infinity, above = -Infinity, atMost = Infinity, whole = false }) {
  return (text) => {
    const value = text.trim() === '' ? Number.NaN : Number(text)
    if (value >= least && value > above && value <= atMost && (!whole || Number.isSafeInteger(value))) return value
    const bounds = [`above ${above}`, `of at least ${least}`, `of at most ${atMost}`].filter(
      (bound) => !/Infinity$/.test(bound),
    )
    throw new InvalidArgumentError(`It has to be a ${whole ? 'whole ' : ''}number ${bounds.join(' and ')}.`)
  }
}
