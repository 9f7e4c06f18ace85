import * as E from 'fp-ts/lib/Either.js'

export const faultKinds = ['leak', 'cpu', 'disk', 'crash', 'hang'] as const
export type FaultKind = (typeof faultKinds)[number]

/** A fault to be made: what, and how many seconds after the first segment plays. */
export interface PlannedFault {
  readonly kind: FaultKind
  readonly atS: number
}

const secondsMax = 86_400

/**
 * Reads `--fault`: `leak@15`, several with commas between them, or `none`. Answers them in the order of time, or what is
 * wrong with the text.
 */
export function parseFaults(text: string): E.Either<string, ReadonlyArray<PlannedFault>> {
  const parts = text.split(',').map((part) => part.trim())
  if (parts.length === 1 && parts[0] === 'none') return E.right([])
  const faults: PlannedFault[] = []
  for (const part of parts) {
    const fault = parseFault(part)
    if (typeof fault === 'string') return E.left(fault)
    faults.push(fault)
  }
  return E.right(faults.toSorted((a, b) => a.atS - b.atS))
}

function parseFault(part: string): PlannedFault | string {
  if (part === 'none') return '"none" stands alone: give faults or none, not both'
  const [, kindText = '', seconds = ''] = /^([a-z]+)@(\d+(?:\.\d+)?)$/.exec(part) ?? []
  const kind = faultKinds.find((each) => each === kindText)
  const atS = Number(seconds)
  if (kind === undefined || seconds === '' || atS > secondsMax) {
    const given = part === '' ? 'an empty fault' : `"${part}"`
    return `${given} is not a fault: write <kind>@<seconds>, such as leak@15, with kind one of ${faultKinds.join(', ')}; or none`
  }
  return { kind, atS }
}
