import fc from 'fast-check'
import { streamDecider, type Effect } from '../../../src/actors/index.js'
import type { EventIn, FleetServer } from '../../../src/events/index.js'
import { Story } from '../../support/story.js'
import * as f from '../../support/streamFacts.js'

const ids = ['s1', 's2', 's3', 's4']
const anyServer = fc.constantFrom(...ids)
const anyNumber = fc.integer({ min: 0, max: 2_000 })
const anyFleet = fc
  .tuple(
    ...ids.map((id) =>
      fc
        .constantFrom<FleetServer['standing']>('stable', 'watch', 'unstable', 'failed', 'draining')
        .map((standing) => f.server(id, { standing })),
    ),
  )
  .map((servers) => f.fleet(...servers))
const anyCause = fc.constantFrom('prediction', 'failure', 'drain', 'operator', 'maintenance')

/** Facts that know the present state, as answers of servers do, or do not, as late and stray messages. */
type Move = (story: f.StreamStory) => f.StreamFact
const anyMove: fc.Arbitrary<Move> = fc.oneof(
  anyFleet.map((fact) => () => fact),
  fc.record({ cause: anyCause, server: anyServer }).map(
    ({ cause, server }) =>
      () =>
        f.requested(cause, server),
  ),
  fc.record({ cause: anyCause }).map(
    ({ cause }) =>
      (story: f.StreamStory) =>
        f.requested(cause, story.state.route?.primary.id ?? 's1'),
  ),
  fc.constant<Move>(() => f.withdrawn()),
  anyNumber.map(
    (live): Move =>
      (story) =>
        f.activated(story.state.handover?.order ?? 'none', 's2', live),
  ),
  anyNumber.map(
    (live): Move =>
      (story) =>
        f.stitched(story.state.handover?.order ?? 'none', 's2', live, live),
  ),
  fc.constant<Move>((story) => {
    const { handover } = story.state
    return f.reached(handover?.cutover?.epoch ?? 1, handover?.target.id ?? 's2', handover?.cutover?.number ?? 1)
  }),
  fc.record({ epoch: fc.integer({ min: 0, max: 9 }), by: anyServer, number: anyNumber }).map(
    ({ epoch, by, number }): Move =>
      () =>
        f.reached(epoch, by, number),
  ),
  fc.constant<Move>((story) => f.drained(story.state.retiring?.epoch ?? 1, story.state.retiring?.server.id ?? 's1')),
  fc.constant<Move>((story) =>
    f.synchronized(story.state.standby?.order ?? 'none', story.state.standby?.server.id ?? 's1'),
  ),
  anyServer.map(
    (by): Move =>
      (story) =>
        f.failed(story.state.handover?.order ?? 'none', by),
  ),
  anyServer.map(
    (by): Move =>
      (story) =>
        f.failed(story.state.standby?.order ?? 'none', by),
  ),
)

const play = (moves: ReadonlyArray<Move>): f.StreamStory => {
  const story: f.StreamStory = new Story(streamDecider, 'main')
  story.given(f.fleet(...ids.map((id) => f.server(id))), f.opened())
  for (const move of moves) story.later(137).given(move(story))
  return story
}

const switches = (log: ReadonlyArray<EventIn<'stream'>>) =>
  log.flatMap((event) => (event.type === 'StreamSwitched' ? [event.data] : []))

describe('whatever happens to a stream', () => {
  it('epochs and cut-over numbers only rise, and no epoch is given out twice', () => {
    fc.assert(
      fc.property(fc.array(anyMove, { maxLength: 80 }), (moves) => {
        const { log } = play(moves)
        const done = switches(log)
        for (const [index, each] of done.entries()) {
          const before = done[index - 1]
          if (before === undefined) continue
          expect(each.epoch).toBeGreaterThan(before.epoch)
          expect(each.cutover).toBeGreaterThan(before.cutover)
        }
        const issued = log.flatMap((event) => (event.type === 'CutoverChosen' ? [event.data.epoch] : []))
        expect(new Set(issued).size).toBe(issued.length)
      }),
      { numRuns: 300 },
    )
  })

  it('every handover that began ends once, and never two at a time', () => {
    fc.assert(
      fc.property(fc.array(anyMove, { maxLength: 80 }), (moves) => {
        const story = play(moves)
        let open: string | null = null
        for (const event of story.log) {
          if (event.type === 'HandoverStarted') {
            expect(open).toBeNull()
            open = event.data.handover
          }
          if (event.type === 'HandoverCompleted' || event.type === 'HandoverAborted') {
            expect(event.data.handover).toBe(open)
            open = null
          }
        }
        expect(open).toBe(story.state.handover?.id ?? null)
      }),
      { numRuns: 300 },
    )
  })

  it('a handover ends by its deadlines alone when nothing else is heard', () => {
    const deadlinesOf = (story: f.StreamStory) =>
      streamDecider
        .outstanding(story.state)
        .filter((effect): effect is Extract<Effect, { readonly type: 'deadline' }> => effect.type === 'deadline')
    fc.assert(
      fc.property(fc.array(anyMove, { maxLength: 60 }), (moves) => {
        const story = play(moves)
        const before = story.state.handoversStarted
        for (
          let step = 0;
          step < 40 && story.state.handover !== null && story.state.handoversStarted === before;
          step += 1
        ) {
          const next = deadlinesOf(story).toSorted((a, b) => a.at - b.at)[0]
          expect(next).toBeDefined()
          if (next === undefined) return
          story.now = Math.max(story.now, next.at)
          story.given(f.deadline(next.key, next.step))
        }
        expect(story.state.handover === null || story.state.handoversStarted > before).toBe(true)
      }),
      { numRuns: 300 },
    )
  })
})
