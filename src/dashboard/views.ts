/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import type { HandoverRecord } from '../projections/index.js'
import type { ModelStatus, ServerStatus, StreamStatus } from '../runtime/control/status.js'

type Child = Node | string

/** Makes an element. Text goes in as text nodes, so nothing from the network is ever read as markup. */
export function element(name: string, attributes: Readonly<Record<string, string>>, ...children: Child[]): HTMLElement {
  const made = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value)
  made.append(...children)
  return made
}

export function serverCard(server: ServerStatus): HTMLElement {
  const bar = element('div', { class: `bar ${server.standing}` })
  const fill = element('i', {})
  fill.style.width = `${Math.max(0, Math.min(100, server.score))}%`
  const mark = element('u', { title: `threshold ${server.threshold}` })
  mark.style.left = `${server.threshold}%`
  bar.append(fill, mark)
  const memory = server.memoryRatio === null ? '' : ` · memory ${percent(server.memoryRatio)}`
  const end = server.timeToLimitMs === null ? '' : ` · limit in ${(server.timeToLimitMs / 1000).toFixed(0)} s`
  const why = server.factors.filter((factor) => factor.contribution >= 1)
  return element(
    'div',
    { class: 'card' },
    element('div', {}, element('b', {}, server.id), ' ', element('span', { class: server.standing }, server.standing)),
    element('div', { class: 'score' }, server.score.toFixed(0)),
    bar,
    element('div', { class: 'soft' }, `risk ${server.risk === null ? '–' : percent(server.risk)}${memory}${end}`),
    element(
      'div',
      { class: 'soft' },
      `${server.primaries} primary, ${server.roles} of ${server.capacityStreams} roles`,
    ),
    element(
      'div',
      { class: 'soft' },
      why.map((factor) => `${factor.name} −${factor.contribution}`).join(', ') || '\u00a0',
    ),
  )
}

/** The model in force by its short name, and what each group weighs in the score: as wide as its weight. */
export function modelFigures(model: ModelStatus | null): ReadonlyArray<HTMLElement> {
  if (model === null) return []
  const weights = Object.entries(model.weights)
    .filter(([, weight]) => weight >= 0.005)
    .sort((a, b) => b[1] - a[1])
    .map(([name, weight]) => {
      const part = element('span', { title: `${name} weighs ${weight.toFixed(3)}` }, `${name} ${weight.toFixed(2)}`)
      part.style.flexGrow = String(weight)
      return part
    })
  const named = element('b', { title: model.artifact }, `${model.model} ${model.artifact.slice(0, 8)}`)
  return [
    element('div', {}, 'Model ', named, element('span', { class: 'soft' }, ` ${model.reason}`)),
    element('div', { class: 'weights', 'aria-label': 'Weights of the score' }, ...weights),
  ]
}

export function streamRow(stream: StreamStatus, onHandOver: (stream: string) => void): HTMLElement {
  const button = element('button', { type: 'button' }, 'Hand over')
  button.addEventListener('click', () => onHandOver(stream.id))
  if (stream.handover !== null || stream.standby === null) button.setAttribute('disabled', '')
  const buffers = stream.buffers.map(({ server, segments, verified, encoding }) =>
    element('div', {}, `${server}: ${segments} held, ${verified} verified${encoding ? ', encoding' : ''}`),
  )
  const standby =
    stream.standby === null ? 'none' : `${stream.standby.id}${stream.standby.synchronized ? '' : ' (filling)'}`
  return element(
    'tr',
    {},
    element('td', {}, stream.id),
    element('td', {}, stream.primary?.id ?? 'none'),
    element('td', {}, standby),
    element('td', {}, String(stream.epoch)),
    element('td', {}, stream.live === null ? '–' : String(stream.live)),
    element('td', { class: 'soft' }, ...buffers),
    element('td', {}, stream.handover === null ? button : element('span', { class: 'watch' }, stream.handover.phase)),
  )
}

export function handoverDetails(handover: HandoverRecord, open: boolean): HTMLElement {
  const { id, cause, from, to, outcome, triggerToSwitchMs, cutover } = handover
  const switched =
    triggerToSwitchMs === null ? outcome : `switched in ${(triggerToSwitchMs / 1000).toFixed(2)} s at ${cutover ?? '?'}`
  const steps = handover.steps.map((step) =>
    element(
      'li',
      {},
      `+${(step.atMs / 1000).toFixed(2)} s  ${step.name}`,
      element('span', { class: 'soft' }, `  ${step.detail}`),
    ),
  )
  return element(
    'details',
    { 'data-id': id, ...(open ? { open: '' } : {}) },
    element('summary', {}, `${id}: ${from.id} → ${to.id}, ${cause}, ${switched}`),
    element('ol', {}, ...steps),
  )
}

export function figure(name: string, value: string): ReadonlyArray<HTMLElement> {
  return [element('div', {}, element('dt', {}, name), element('dd', {}, value))]
}

const percent = (ratio: number): string => `${(100 * ratio).toFixed(0)} %`
