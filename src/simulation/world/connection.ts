import type { SimulatedProcess } from './process.js'

export const brokerName = 'broker'

/** One life of a process; what belongs to it ends with it. */
export interface Life {
  readonly process: SimulatedProcess
  readonly life: number
}

export const isAlive = ({ process, life }: Life): boolean => process.life === life && process.state !== 'down'

/** Whether a pattern covers a subject. The patterns in use end in `>` or are subjects themselves. */
export function coverOf(pattern: string): (subject: string) => boolean {
  if (!pattern.endsWith('>')) return (subject) => subject === pattern
  const beginning = pattern.slice(0, -1)
  return (subject) => subject.startsWith(beginning)
}
