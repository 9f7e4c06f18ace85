import type { HandoverRecord, HandoverStepSeen } from '../../../projections/index.js'
import { grouped, shortTime } from './amounts.js'
import { cell, span, type Glyphs, type Line, type Span, type Tone } from './text.js'

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
  const steps = shown.steps.slice(-room).map((step, index, all) => {
    const isLast = index === all.length - 1
    return stepLine(step, isLast && shown.outcome === 'under-way' ? 'doing' : 'done', glyphs)
  })
  const left = room - steps.length
  return [headLine(shown, glyphs), ...steps, ...(left > 0 ? earlier.slice(-left).toReversed() : [])]
}

const outcomeTone: Readonly<Record<HandoverRecord['outcome'], Tone>> = {
  'under-way': 'accent',
  completed: 'good',
  aborted: 'caution',
}

function headLine(record: HandoverRecord, glyphs: Glyphs): Line {
  const { id, from, to, cause, outcome, cutover, triggerToSwitchMs } = record
  return [
    span(' HANDOVER  ', 'dim'),
    span(id, 'bold'),
    span(`   ${from.id} ${glyphs.arrow} ${to.id}`),
    span(`   cause: ${cause}`, 'dim'),
    span(cutover === null ? '' : `   K ${grouped(cutover)}`),
    span(triggerToSwitchMs === null ? '' : `   switched after ${shortTime(triggerToSwitchMs)}`),
    span(`   ${outcome.replace('-', ' ')}`, outcomeTone[outcome]),
  ]
}

function stepLine(step: HandoverStepSeen, state: 'done' | 'doing', glyphs: Glyphs): Line {
  const failed = step.name === 'step failed' || step.name === 'aborted' || step.name === 'cut-over revoked'
  const mark: Span = failed ? span(glyphs.failed, 'bad') : span(glyphs[state], state === 'done' ? 'good' : 'accent')
  return [
    span('   '),
    mark,
    span(cell(`+${shortTime(step.atMs)}`, 10, 'right'), 'dim'),
    span(`  ${cell(step.name, 20)}`, step.name === 'switched' || step.name === 'completed' ? 'bold' : 'plain'),
    span(step.detail, 'dim'),
  ]
}

function earlierLine({ id, from, to, cause, outcome, triggerToSwitchMs }: HandoverRecord, glyphs: Glyphs): Line {
  const switched = triggerToSwitchMs === null ? '' : `, switched after ${shortTime(triggerToSwitchMs)}`
  return [span(`   earlier: ${id}  ${from.id} ${glyphs.arrow} ${to.id} (${cause}) ${outcome}${switched}`, 'dim')]
}
