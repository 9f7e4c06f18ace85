/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import type { HandoverRecord } from '../projections/index.js'
import type { ModelStatus, ServerStatus, StreamStatus } from '../runtime/control/status.js'
import type { Row } from './rows.js'

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

export function streamRow(id: string, onHandOver: (stream: string) => void): Row<StreamStatus> {
  const button = element('button', { type: 'button' }, 'Hand over') as HTMLButtonElement
  button.addEventListener('click', () => onHandOver(id))
  const phase = element('span', { class: 'watch' })
  const [primary, standby, epoch, live] = [cell(), cell(), cell(), cell()]
  const buffers = element('td', { class: 'soft' })
  const row = [element('td', {}, id), primary, standby, epoch, live, buffers, element('td', {}, button, phase)]
  return {
    element: element('tr', {}, ...row),
    show(stream) {
      primary.textContent = stream.primary?.id ?? 'none'
      standby.textContent =
        stream.standby === null ? 'none' : `${stream.standby.id}${stream.standby.synchronized ? '' : ' (filling)'}`
      epoch.textContent = String(stream.epoch)
      live.textContent = stream.live === null ? '–' : String(stream.live)
      buffers.replaceChildren(
        ...stream.buffers.map(({ server, segments, verified, encoding }) =>
          element('div', {}, `${server}: ${segments} held, ${verified} verified${encoding ? ', encoding' : ''}`),
        ),
      )
      button.disabled = stream.handover !== null || stream.standby === null
      button.hidden = stream.handover !== null
      phase.hidden = stream.handover === null
      phase.textContent = stream.handover?.phase ?? ''
    },
  }
}

/** @param open whether its steps are shown before anybody asks for them */
export function handoverDetails(id: string, open: boolean): Row<HandoverRecord> {
  const summary = element('summary', {})
  const list = element('ol', {})
  return {
    element: element('details', open ? { open: '' } : {}, summary, list),
    show({ cause, from, to, outcome, triggerToSwitchMs, cutover, steps }) {
      const switched =
        triggerToSwitchMs === null
          ? outcome
          : `switched in ${(triggerToSwitchMs / 1000).toFixed(2)} s at ${cutover ?? '?'}`
      summary.textContent = `${id}: ${from.id} → ${to.id}, ${cause}, ${switched}`
      list.replaceChildren(
        ...steps.map((step) =>
          element(
            'li',
            {},
            `+${(step.atMs / 1000).toFixed(2)} s  ${step.name}`,
            element('span', { class: 'soft' }, `  ${step.detail}`),
          ),
        ),
      )
    },
  }
}

export function figure(name: string, value: string): ReadonlyArray<HTMLElement> {
  return [element('div', {}, element('dt', {}, name), element('dd', {}, value))]
}

const cell = (): HTMLElement => element('td', {})

const percent = (ratio: number): string => `${(100 * ratio).toFixed(0)} %`
