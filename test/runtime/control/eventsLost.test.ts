import type { Clock, IncomingFact } from '../../../src/actors/index.js'
import { createMemoryStore } from '../../../src/events/stores/memory/index.js'
import { controlCoreOn } from '../../support/controlCore.js'
import { copyOf, replaceable } from '../../support/replacedLog.js'
import * as f from '../../support/streamFacts.js'

/** For which no pause takes any time. */
const hastyClock: Clock = {
  now: () => 1_000,
  after: (_delayMs, action) => {
    queueMicrotask(action)
    return () => undefined
  },
}

const factOf = (id: string, fact: f.StreamFact): IncomingFact => ({ id, ...fact })

it('a control plane whose log was restored from a copy is to be ended, and the next one goes on from what there is', async () => {
  // given a control plane at work, when its log goes back
  const store = createMemoryStore()
  const log = replaceable(store)
  const { core } = controlCoreOn(log, { clock: hastyClock })
  await core.tell('stream', 'main', factOf('fleet', f.fleet(f.server('s1'), f.server('s2'))))
  await core.tell('stream', 'main', factOf('opened', f.opened()))
  const copy = await copyOf(store, 1)
  log.replace(copy)

  // then the next fact shows it
  await expect(core.tell('stream', 'main', factOf('again', f.fleet(f.server('s3'))))).rejects.toThrow('has lost events')
  expect((await core.eventsLost).message).toBe(
    'stream-main ends at event 0, and event 2 was known: the log has lost events',
  )
  await core.close()

  // and another control plane records it
  const next = controlCoreOn(copy, { clock: hastyClock }).core
  await next.rebuild()
  expect(await next.tell('stream', 'main', factOf('again', f.fleet(f.server('s3'))))).toBe('appended')
  await next.close()
})
