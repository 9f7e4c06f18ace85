import type { HandoverRecord, HandoverStepSeen } from '../../../projections/index.js'
import { grouped, shortTime } from '../../amounts.js'
import { cell, span, type Glyphs, type Line, type Tone } from './text.js'

/** The handover to show: the newest under way, or else the newest. */
export const handoverShown = (handovers: ReadonlyArray<HandoverRecord>): HandoverRecord | undefined =>
  handovers.findLast((each) => each.outcome === 'under-way') ?? handovers.at(-1)

/** At most `rows` lines: the head, and as many of the newest steps as fit. */
export function handoverLines(
  handovers: ReadonlyArray<HandoverRecord>,
  { rows, predict, glyphs }: { readonly rows: number; readonly predict: boolean; readonly glyphs: Glyphs },
): Line[] {
  const shown = handoverShown(handovers)
  if (shown === undefined) {
    return [[span(' HANDOVER  ', 'dim'), span(`none yet${predict ? '' : ' (prediction is off)'}`, 'dim')]]
  }
  const earlier = handovers.filter((each) => each !== shown).map((each) => earlierLine(each, glyphs))
  const room = Math.max(0, rows - 1)
  const pending = shown.outcome === 'under-way' ? [pendingLine(shown, glyphs)] : []
  const steps = merged(shown.steps).map((step) => stepLine(step, glyphs))
  const lines = newest([...steps, ...pending], room)
  const left = room - lines.length
  return [headLine(shown, glyphs), ...lines, ...newest(earlier, left).toReversed()]
}

const newest = <T>(items: ReadonlyArray<T>, count: number): ReadonlyArray<T> =>
  items.slice(Math.max(0, items.length - count))

interface Repeated extends HandoverStepSeen {
  readonly times: number
}

/** Several servers may say the same one after the other: one line is enough for them. */
function merged(steps: ReadonlyArray<HandoverStepSeen>): ReadonlyArray<Repeated> {
  return steps.reduce<ReadonlyArray<Repeated>>((lines, step) => {
    const before = lines.at(-1)
    const times = before?.name === step.name ? before.times + 1 : 1
    return [...(times > 1 ? lines.slice(0, -1) : lines), { ...step, times }]
  }, [])
}

const outcomeTone: Readonly<Record<HandoverRecord['outcome'], Tone>> = {
  'under-way': 'accent',
  completed: 'good',
  aborted: 'caution',
}

function headLine(record: HandoverRecord, glyphs: Glyphs): Line {
  const { id, from, to, cause, outcome, triggerToSwitchMs } = record
  return [
    span(' HANDOVER  ', 'dim'),
    span(id, 'bold'),
    span(`   ${from.id} ${glyphs.arrow} ${to.id}`),
    span(`   ${cause}`, 'dim'),
    span(triggerToSwitchMs === null ? '' : `   switched after ${shortTime(triggerToSwitchMs)}`),
    span(`   ${outcome.replace('-', ' ')}`, outcomeTone[outcome]),
  ]
}

const isSetback = (name: string): boolean => ['step failed', 'aborted', 'cut-over revoked', 'no standby'].includes(name)
const isMilestone = (name: string): boolean => ['switched', 'completed'].includes(name)

function stepLine({ name, atMs, detail, times }: Repeated, glyphs: Glyphs): Line {
  return [
    span('   '),
    isSetback(name) ? span(glyphs.failed, 'bad') : span(glyphs.done, 'good'),
    span(cell(`+${shortTime(atMs)}`, 10, 'right'), 'dim'),
    span(`  ${cell(name, 20)}`, isMilestone(name) ? 'bold' : 'plain'),
    span(detail, 'dim'),
    span(times > 1 ? ` (${times} times)` : '', 'dim'),
  ]
}

/** What the handover waits for. */
function pendingLine({ steps, cutover, switchedAt, to }: HandoverRecord, glyphs: Glyphs): Line {
  const has = (name: string): boolean => steps.some((step) => step.name === name)
  const still = [
    ...(has('old primary drained') ? [] : ['the old primary to drain']),
    ...(has('new standby filled') ? [] : ['the new standby to fill']),
    ...(has('viewers measured') ? [] : ["the viewers' figures"]),
  ]
  const wait =
    switchedAt !== null
      ? still.join(', ')
      : cutover !== null
        ? `the live edge to pass segment ${grouped(cutover)}`
        : `${to.id} to be level and verified`
  return [span('   '), span(glyphs.doing, 'accent'), span(`${' '.repeat(10)}  waits for ${wait}`, 'accent')]
}

function earlierLine({ id, from, to, cause, outcome, triggerToSwitchMs }: HandoverRecord, glyphs: Glyphs): Line {
  const switched = triggerToSwitchMs === null ? '' : `, switched after ${shortTime(triggerToSwitchMs)}`
  return [span(`   earlier: ${id}  ${from.id} ${glyphs.arrow} ${to.id} (${cause}) ${outcome}${switched}`, 'dim')]
}
