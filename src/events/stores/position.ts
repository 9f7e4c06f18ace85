import type { Position } from '../envelope.js'

// 16 digits hold every safe integer, and equal length makes the order of the strings that of the numbers.
const digits = 16

/** The position of the nth event of the log (from 1) for stores that count. */
export const positionOf = (place: number): Position => String(place).padStart(digits, '0') as Position

/** @throws RangeError for a position of another kind of store. */
export function placeOf(position: Position): number {
  if (position.length !== digits || !/^\d+$/.test(position)) {
    throw new RangeError(
      `${JSON.stringify(position)} is no position of this store; positions cannot be moved between stores`,
    )
  }
  return Number(position)
}
