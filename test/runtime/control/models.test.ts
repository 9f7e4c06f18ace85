import { mkdtemp, readdir, rm, truncate } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { request } from 'undici'
import { defaultServerPolicy, defaultStreamPolicy } from '../../../src/events/index.js'
import { openStore, sqliteAt } from '../../../src/events/stores/index.js'
import { createMemoryBus } from '../../../src/messaging/memory/index.js'
import { startControlPlane, type ControlPlane } from '../../../src/runtime/control/controlPlane.js'
import type { FleetModels } from '../../../src/runtime/control/modelsApi.js'
import { readModelState } from '../../../src/runtime/models/index.js'
import { failingFleet, shippedModel, writeFleet, type FailingFleet } from '../../support/failingFleet.js'
import { waitFor } from '../../support/waitFor.js'

// The thread that trains gives way to everything else on the machine.
import.meta.jest.setTimeout(120_000)

const closers: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

/** A control plane on a log in which servers failed. */
async function controlOn(fleet: FailingFleet) {
  const dataDir = await mkdtemp(join(tmpdir(), 'segue-models-'))
  closers.push(() => rm(dataDir, { recursive: true, force: true }))
  const log = sqliteAt(join(dataDir, 'events.sqlite'))
  const store = await openStore(log)
  closers.push(() => store.close())
  await writeFleet(store, failingFleet(fleet))
  const control = await startControlPlane({
    ...{ store, dataDir, transport: createMemoryBus().connect('control'), host: '127.0.0.1', port: 0 },
    ...{ serverPolicy: defaultServerPolicy, streamPolicy: defaultStreamPolicy },
    training: { log, everyMs: 0 },
    logger: { info: () => undefined, warn: () => undefined },
  })
  closers.push(() => control.close())
  return { control, store, folder: join(dataDir, 'models') }
}

async function ask(control: ControlPlane, method: 'GET' | 'POST', path: string, body?: object) {
  const answer = await request(`${control.url}${path}`, {
    method,
    ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  })
  return { status: answer.statusCode, body: (await answer.body.json()) as Record<string, unknown> }
}

const modelsOf = async (control: ControlPlane): Promise<FleetModels> =>
  (await ask(control, 'GET', '/api/models')).body as unknown as FleetModels

const untilTrained = (control: ControlPlane): Promise<FleetModels> =>
  waitFor(
    async () => {
      const models = await modelsOf(control)
      return models.training === null && (models.known.length > 1 || models.failure !== null) ? models : undefined
    },
    { timeoutMs: 60_000 },
  )

describe('models in a running control plane', () => {
  it('are trained when asked for, put in force, and taken back', async () => {
    const { control, store, folder } = await controlOn({ servers: 3, lives: 5, samples: 90 })
    expect((await modelsOf(control)).active?.artifact).toBe(shippedModel.artifact)
    expect(await ask(control, 'POST', '/api/models/rollback', {})).toMatchObject({
      status: 409,
      body: { message: 'no other model was in force before: there is nothing to go back to' },
    })
    expect(await ask(control, 'POST', '/api/models/promotion', {})).toMatchObject({ status: 400 })
    expect(await ask(control, 'POST', '/api/models/promotion', { model: 'none' })).toMatchObject({
      status: 404,
      body: { message: expect.stringContaining('there is no model "none": known are prior-3') },
    })

    expect(await ask(control, 'POST', '/api/models/training', { by: 'ann' })).toMatchObject({ status: 202 })
    const trained = await untilTrained(control)
    const learned = trained.known.find(({ trigger }) => trigger === 'operator')
    // The shipped model finds all of these as well: a tie is no reason to change.
    expect(learned).toMatchObject({ standing: 'rejected', reason: expect.stringMatching(/^not shown to be better/) })
    expect(trained.active?.artifact).toBe(shippedModel.artifact)
    const artifact = learned?.artifact ?? ''
    expect(await readdir(folder)).toContain(`${artifact}.bin`)

    expect(await ask(control, 'POST', '/api/models/promotion', { model: artifact.slice(0, 10) })).toMatchObject({
      status: 202,
      body: { artifact },
    })
    expect((await modelsOf(control)).active?.artifact).toBe(artifact)
    // Every server comes under it.
    await waitFor(async () => (await control.status()).servers.every(({ model }) => model === learned?.model))
    expect(await ask(control, 'POST', '/api/models/rollback', { by: 'ann' })).toMatchObject({ status: 202 })
    expect((await modelsOf(control)).active?.artifact).toBe(shippedModel.artifact)

    await truncate(join(folder, `${artifact}.bin`), 100)
    expect(await ask(control, 'POST', '/api/models/promotion', { model: artifact.slice(0, 10) })).toMatchObject({
      status: 409,
      body: { message: expect.stringContaining('its bytes are not those that its name says') },
    })
    const types: string[] = []
    for await (const { type } of store.readStream('model-fleet')) types.push(type)
    expect(types).toEqual([
      ...['ModelTrained', 'ModelPromoted', 'TrainingRequested', 'TrainingOrdered', 'ModelTrained', 'ModelRejected'],
      ...['ModelPromotionRequested', 'ModelPromoted', 'ModelRollbackRequested', 'ModelRolledBack'],
    ])
  })

  it('stay as they are when a training fails', async () => {
    const { control, store } = await controlOn({ servers: 1, lives: 1, samples: 40 })
    await ask(control, 'POST', '/api/models/training', {})
    const { failure, active } = await untilTrained(control)
    expect(failure?.reason).toMatch(/at least 10 are needed to learn from/)
    expect(active?.artifact).toBe(shippedModel.artifact)
    expect((await readModelState(store)).known).toHaveLength(1)
  })

  it.each([
    [{ falseAlarmBudget: 0 }, "the server policy's falseAlarmBudget is 0: give 0.01 to 1000 false alarms a server-day"],
    [{ falseAlarmBudget: Number.NaN }, "the server policy's falseAlarmBudget is NaN"],
    [{ controlShare: 0.6 }, "the server policy's controlShare is 0.6: give 0 to 0.5 of the alarms"],
    [{ controlShare: -0.1 }, "the server policy's controlShare is -0.1"],
    [{ threshold: 95 }, "the server policy's threshold is 95: give 0 to 90 points"],
  ])('cannot be held to a policy of %j', async (changes, message) => {
    const starting = startControlPlane({
      ...{ dataDir: '/nowhere', host: '127.0.0.1', port: 0, streamPolicy: defaultStreamPolicy },
      serverPolicy: { ...defaultServerPolicy, ...changes },
      store: await openStore({ type: 'memory' }),
      transport: createMemoryBus().connect('control'),
      logger: { info: () => undefined, warn: () => undefined },
    })
    await expect(starting).rejects.toThrow(message)
  })
})
