import type { EventStore } from '../../../src/events/index.js'
import { createMemoryStore } from '../../../src/events/stores/memory/index.js'
import {
  compareWithRebuild,
  openReadModel,
  ProjectionRunner,
  type ReadModel,
} from '../../../src/runtime/projecting/index.js'
import type { RecordedAppend } from '../../../src/simulation/recording/index.js'
import { appendAll, smallRecording } from '../../support/smallLog.js'

let recording: ReadonlyArray<RecordedAppend> = []
let store: EventStore
let model: ReadModel

const catchUp = (): Promise<void> => new ProjectionRunner(model, store).catchUp()
const different = async (log: EventStore): Promise<ReadonlyArray<string>> => {
  const compared = await compareWithRebuild({ store: log, model, catchUp })
  expect(compared.length).toBeGreaterThan(10)
  return compared.filter(({ kept, made }) => kept !== made).map(({ table }) => table)
}

beforeAll(() => {
  recording = smallRecording()
})

beforeEach(async () => {
  store = createMemoryStore()
  model = await openReadModel(':memory:')
  await appendAll(store, recording.slice(0, 600))
  await catchUp()
})
afterEach(() => model.close())

test('tables made a second time are compared as of the event that the kept ones have seen', async () => {
  // given a log that has grown since
  await appendAll(store, recording.slice(600))
  // then no table differs
  expect(await different(store)).toEqual([])
})

test('tables that are brought on while they are made a second time do not differ', async () => {
  // given somebody who brings the kept tables up to the end of a longer log, while the log is read for the comparison
  const busy: EventStore = {
    ...store,
    async *readAll(options) {
      yield* store.readAll(options)
      await appendAll(store, recording.slice(600))
      await catchUp()
    },
  }
  expect(await different(busy)).toEqual([])
})

test('a row that does not follow from the log is found', async () => {
  model.db.exec('DELETE FROM servers')
  expect(await different(store)).toEqual(['servers'])
})
