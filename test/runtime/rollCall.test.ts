import { answerRollCall } from '../../src/runtime/media/rollCall.js'
import { decodePayload } from '../../src/events/index.js'
import { subjects, type FactMessage, type RollCall } from '../../src/messaging/index.js'
import { fakeTransport } from '../media/support/fakeTransport.js'
import { refOf, routeOf } from '../media/support/scripted.js'

const route = routeOf({ epoch: 4, cutover: 90, primary: refOf('a'), standby: refOf('b'), sequence: 31 })

function server() {
  const transport = fakeTransport()
  const facts: Array<{ readonly subject: string; readonly fact: FactMessage }> = []
  const deadLetters: string[] = []
  let introductions = 0
  answerRollCall({
    ...{ transport, server: 'a', bootId: 'boot-2' },
    publishFact: (subject, fact) => void facts.push({ subject, fact }),
    deadLetter: (subject, reason) => void deadLetters.push(`${subject}: ${reason}`),
    routes: () => [route],
    introduce: () => void (introductions += 1),
  })
  const call = (known: object): void => transport.broadcast(subjects.roll, known)
  const callPart = (part: object): void => transport.broadcast(subjects.rollPart, part)
  return { call, callPart, facts, deadLetters, introductions: () => introductions }
}

const stream = (epoch: number, sequence: number) => ({ id: 'demo', run: 'r1', epoch, sequence })
const roll = (streams: ReadonlyArray<object>, bootId = 'boot-2') => ({ servers: [{ id: 'a', bootId }], streams })

describe('a media server that hears the roll', () => {
  it('says nothing when the log knows it and its routes', () => {
    const { call, facts, introductions } = server()
    for (const known of [stream(4, 31), stream(4, 32), stream(5, 2)]) call(roll([known]))
    expect([facts, introductions()]).toEqual([[], 0])
  })

  it('joins again when the log has not known this boot of it twice in a row', () => {
    const { call, introductions } = server()
    call(roll([stream(4, 31)], 'boot-1'))
    expect(introductions()).toBe(0)
    call({ servers: [], streams: [stream(4, 31)] } satisfies Record<keyof RollCall, unknown>)
    expect(introductions()).toBe(1)
    call(roll([stream(4, 31)]))
    call(roll([stream(4, 31)], 'boot-1'))
    expect(introductions()).toBe(1)
  })

  it.each([
    ['an earlier epoch', [stream(3, 90)]],
    ['an earlier sequence', [stream(4, 30)]],
    ['no such stream', []],
  ])('reports the route that it follows when the log has %s', (_, streams) => {
    const { call, facts } = server()
    call(roll(streams))
    expect(facts.map(({ subject }) => subject)).toEqual([subjects.stream('demo')])
    expect(facts.map(({ fact }) => decodePayload('stream', fact))).toMatchObject([
      { right: { type: 'RouteReported', data: { edge: 'a', route: { epoch: 4, cutover: 90, sequence: 31 } } } },
    ])
  })

  it('takes nothing from a part that covers neither it nor its routes', () => {
    const { callPart, facts, deadLetters, introductions } = server()
    const range = { from: 'e', until: 'z' }
    for (let times = 0; times < 3; times += 1) {
      callPart({ servers: [{ id: 'f', bootId: 'b' }], streams: [], covers: { servers: range, streams: null } })
      callPart({ servers: [], streams: [], covers: { servers: null, streams: range } })
    }
    expect([facts, introductions(), deadLetters]).toEqual([[], 0, []])
  })

  it('is missing from a part that covers it, as is its route', () => {
    const { callPart, facts, introductions } = server()
    for (const times of [0, 1]) {
      callPart({ servers: [], streams: [], covers: { servers: { from: '', until: 'b' }, streams: null } })
      expect(introductions()).toBe(times)
      callPart({ servers: [], streams: [], covers: { servers: { from: 'b', until: null }, streams: null } })
    }
    expect(facts).toEqual([])
    callPart({ servers: [], streams: [], covers: { servers: null, streams: { from: 'demo', until: null } } })
    expect(facts).toHaveLength(1)
  })

  it('puts a call aside that it cannot understand', () => {
    const { call, facts, deadLetters } = server()
    call({ servers: 'all' })
    expect(facts).toEqual([])
    expect(deadLetters[0]).toMatch(/^segue\.roll: servers/)
  })
})
