import type { EventIn } from '../../events/index.js'
import type { DossierView } from './view.js'

export interface ViewersTold {
  /** Null where nothing is known of them. */
  readonly isGood: boolean | null
  readonly text: string
}

/**
 * What is said of all viewers in one sentence; null when there were none. It follows from the sum that the stream itself
 * recorded: a file need not hold every viewer.
 */
export function viewersTold({ record, viewers }: Pick<DossierView, 'record' | 'viewers'>): ViewersTold | null {
  const summary = record?.viewers ?? null
  const inFile = viewers.length
  const damaged = viewers.filter((each) => damageOf(each) > 0).length
  const reported = summary?.sessions ?? 0
  const held = `${inFile} of ${Math.max(reported, inFile)} viewer(s) in this file.`
  if (summary !== null && damageOf(summary) > 0) {
    const { gaps, duplicates, hashMismatches } = summary
    const text = `Viewers missed or repeated segments: ${gaps} gaps, ${duplicates} duplicates, ${hashMismatches} damaged segments. ${held}`
    return { isGood: false, text }
  }
  if (damaged > 0) return { isGood: false, text: `${damaged} viewer(s) missed or repeated segments. ${held}` }
  if (reported > 0) return { isGood: true, text: `No viewer missed or repeated a segment. ${held}` }
  if (inFile === 0) return null
  return { isGood: null, text: `The stream recorded no sum of what its viewers measured. ${held}` }
}

/** Whether a viewer lost or repeated something at the change to an epoch. */
export const isDamaged = (event: EventIn<'client'>, epoch: number): boolean =>
  event.type === 'ClientSwitched' && event.data.epoch === epoch && damageOf(event.data) > 0

interface Measured {
  readonly gaps: number | null
  readonly duplicates: number | null
  readonly hashMismatches: number | null
}

const damageOf = ({ gaps, duplicates, hashMismatches }: Measured): number =>
  (gaps ?? 0) + (duplicates ?? 0) + (hashMismatches ?? 0)
