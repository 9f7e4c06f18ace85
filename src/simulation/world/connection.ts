import type { SimulatedProcess } from './process.js'

export const brokerName = 'broker'

/** One life of a process; what belongs to it ends with it. */
export interface Life {
  readonly process: SimulatedProcess
  readonly life: number
}

export const isAlive = ({ process, life }: Life): boolean => process.life === life && process.state !== 'down'

/** The patterns in use end in `>` or are subjects themselves. */
export const covers = (pattern: string, subject: string): boolean =>
  pattern.endsWith('>') ? subject.startsWith(pattern.slice(0, -1)) : pattern === subject
