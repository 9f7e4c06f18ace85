import { execFileSync } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client'
import * as E from 'fp-ts/lib/Either.js'
import type { RecordedEvent } from '../../../src/events/index.js'
import { openEventStoreDb, type EventStoreDbOptions } from '../../../src/events/stores/eventstoredb/index.js'
import { anEvent, appended, collect, ids, refused, someEvents } from '../../contracts/eventStoreContract.js'
import { addressOf, freshNamespace, withNamespace } from '../../support/eventStoreStandIn.js'
import { freePort } from '../../support/freePort.js'
import { afterwards, closeAfterEach, standInAlone, standInWith, storeAt } from '../../support/standIns.js'
import { waitFor } from '../../support/waitFor.js'

// Against the wire stand-in: a real server cannot be told to fail at a given moment.

closeAfterEach()

describe.each([
  ['batch appends', true],
  ['single appends', false],
])('with %s', (_, batchAppend) => {
  test.each(['drop-before-commit', 'drop-after-commit', 'timeout', 'no-leader', 'busy'] as const)(
    'an append that meets %s once is tried again, and stands in the log once',
    async (mode) => {
      const standIn = await standInWith({ batchAppend })
      const store = await storeAt(withNamespace(standIn.url))
      const events = someEvents(2)
      await standIn.fault({ mode, times: 1 })

      const result = await appended(store, 'server-a', events, 'none')

      expect(result.lastRevision).toBe(1)
      expect(ids(await collect(store.readStream('server-a')))).toEqual(ids(events))
    },
  )

  test('an append that gets no answer has an unknown outcome, and the next try tells it', async () => {
    const standIn = await standInWith({ batchAppend })
    const store = await storeAt(withNamespace(standIn.url), { answerTimeoutMs: 400 })
    const events = someEvents(2)
    await standIn.fault({ mode: 'mute-after-commit' })

    expect(await refused(store, 'server-a', events, 'none')).toMatchObject({ _tag: 'AppendOutcomeUnknown' })
    await standIn.fault(null)

    expect(await appended(store, 'server-a', events, 'none')).toMatchObject({ lastRevision: 1, repeated: true })
    expect(ids(await collect(store.readStream('server-a')))).toEqual(ids(events))
  })

  test('an append to a mute server was not written, and can be made later', async () => {
    const standIn = await standInWith({ batchAppend })
    const store = await storeAt(withNamespace(standIn.url), { answerTimeoutMs: 400 })
    const event = anEvent()
    await standIn.fault({ mode: 'mute' })

    expect(await refused(store, 'server-a', [event], 'any')).toMatchObject({ _tag: 'AppendOutcomeUnknown' })
    expect(await collect(store.readStream('server-a'))).toEqual([])
    await standIn.fault(null)
    await appended(store, 'server-a', [event], 'any')

    expect(await collect(store.readStream('server-a'))).toHaveLength(1)
  })

  test('an append that expects anything is not tried again by itself', async () => {
    const standIn = await standInWith({ batchAppend })
    const store = await storeAt(withNamespace(standIn.url))
    await standIn.fault({ mode: 'drop-after-commit', times: 1 })

    expect(await refused(store, 'server-a', [anEvent()], 'any')).toMatchObject({ _tag: 'AppendOutcomeUnknown' })
  })

  test('a follower sends us to the leader', async () => {
    const leader = await standInWith({ batchAppend })
    const follower = await standInWith({ batchAppend })
    const namespace = freshNamespace()
    const store = await storeAt(withNamespace(follower.url, namespace))
    await follower.fault({ mode: 'not-leader', leader: { host: '127.0.0.1', port: leader.port } })
    const event = anEvent()

    await appended(store, 'server-a', [event], 'none')

    expect((await leader.events()).map(({ stream, revision }) => ({ stream, revision }))).toEqual([
      { stream: `${namespace}.server-a`, revision: 0 },
    ])
    expect(await follower.events()).toEqual([])
  })

  test.each(['kill-before-commit', 'kill-after-commit'] as const)(
    'a server that dies in an append (%s) has written it once when it is back',
    async (mode) => {
      const folder = await mkdtemp(join(tmpdir(), 'segue-standin-'))
      afterwards(() => rm(folder, { recursive: true, force: true }))
      const journal = join(folder, 'journal')
      const standIn = await standInAlone({ batchAppend, journal })
      const store = await storeAt(withNamespace(standIn.url))
      await appended(store, 'server-a', [anEvent()], 'none')
      const events = someEvents(2)
      await standIn.fault({ mode })

      expect(['AppendOutcomeUnknown', 'StoreUnavailable']).toContain((await refused(store, 'server-a', events, 0))._tag)
      await standIn.exited
      await standInAlone({ batchAppend, journal, port: standIn.port })
      const result = await waitFor(async () => {
        const again = await store.append('server-a', events, { expected: 0 })()
        return E.isRight(again) && again.right
      })

      expect(result).toMatchObject({ lastRevision: 2 })
      expect(await collect(store.readStream('server-a'))).toHaveLength(3)
    },
  )
})

test('another content under an id that was written is never taken for written', async () => {
  const standIn = await standInWith()
  const url = withNamespace(standIn.url)
  const [one, other] = [await storeAt(url), await storeAt(url)]
  const event = anEvent('Observed', { seenBy: 'one' })
  await appended(one, 'server-a', [event], 'none')

  expect(await refused(other, 'server-a', [{ ...event, data: { seenBy: 'other' } }], 'none')).toMatchObject({
    _tag: 'WrongExpectedRevision',
    actual: 0,
  })
})

test('reading goes on where it broke', async () => {
  const standIn = await standInWith()
  const store = await storeAt(withNamespace(standIn.url))
  const events = someEvents(300)
  await appended(store, 'server-a', events, 'none')
  await standIn.fault({ mode: 'drop-reads', after: 120, times: 2 })

  expect(ids(await collect(store.readStream('server-a')))).toEqual(ids(events))
  await standIn.fault({ mode: 'drop-reads', after: 120, times: 2 })
  expect(ids(await collect(store.readAll()))).toEqual(ids(events))
})

test.each([{ mode: 'twice' } as const, { mode: 'drop-reads', after: 70, times: 4 } as const])(
  'a subscription delivers each event once, in order, whatever the wire does: %j',
  async (fault) => {
    const standIn = await standInWith()
    const store = await storeAt(withNamespace(standIn.url))
    const events = someEvents(250)
    await appended(store, 'server-a', events, 'none')
    await standIn.fault(fault)
    const seen: RecordedEvent[] = []

    store.subscribe({ onEvent: (event) => void seen.push(event) })
    await waitFor(() => seen.length >= 250)
    const last = anEvent()
    await appended(store, 'server-b', [last], 'none')
    await waitFor(() => seen.length >= 251)

    expect(ids(seen)).toEqual(ids([...events, last]))
  },
)

test('a subscription outlives a restart of the server', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'segue-standin-'))
  afterwards(() => rm(folder, { recursive: true, force: true }))
  const journal = join(folder, 'journal')
  const standIn = await standInAlone({ journal })
  const store = await storeAt(withNamespace(standIn.url))
  const events = someEvents(2)
  await appended(store, 'server-a', events.slice(0, 1), 'none')
  const seen: RecordedEvent[] = []
  store.subscribe({ onEvent: (event) => void seen.push(event) })
  await waitFor(() => seen.length === 1)

  await standIn.kill('SIGKILL')
  await standInAlone({ journal, port: standIn.port })
  await waitFor(async () => E.isRight(await store.append('server-a', events.slice(1), { expected: 0 })()))
  await waitFor(() => seen.length === 2)

  expect(ids(seen)).toEqual(ids(events))
})

describe('what is told when the log cannot be opened', () => {
  const opening = (url: string, options: Partial<EventStoreDbOptions> = {}) =>
    openEventStoreDb({ address: addressOf(url), openTimeoutMs: 10_000, ...options })

  test('nobody listens there', async () => {
    const port = await freePort()
    await expect(opening(`esdb://127.0.0.1:${port}?tls=false`)).rejects.toMatchObject({
      _tag: 'StoreUnavailable',
      message: expect.stringMatching(
        `^esdb://127.0.0.1:${port} cannot be reached \\(.*\\); check that EventStoreDB runs there$`,
      ),
    })
  })

  test('something else listens there', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.end('HTTP/1.1 400 Bad Request\r\n\r\n', () => socket.destroy())
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    afterwards(() => new Promise((resolve) => server.close(resolve)))
    const { port } = server.address() as AddressInfo

    await expect(opening(`esdb://127.0.0.1:${port}?tls=false`)).rejects.toMatchObject({ _tag: 'StoreUnavailable' })
  })

  test('nobody answers', async () => {
    const standIn = await standInAlone()
    await standIn.kill('SIGSTOP')

    await expect(opening(standIn.url, { openTimeoutMs: 500 })).rejects.toMatchObject({
      _tag: 'StoreUnavailable',
      message: expect.stringContaining('has not answered for 500 ms'),
    })
  })

  test('the certificate, the protocol, the password', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'segue-tls-'))
    afterwards(() => rm(folder, { recursive: true, force: true }))
    const [keyFile, certificateFile] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')]
    const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1']
    const files = ['-keyout', keyFile, '-out', certificateFile]
    const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
    execFileSync('openssl', [...request, '-days', '2', ...subject, ...files], { stdio: 'ignore' })
    const [key, certificate] = [await readFile(keyFile, 'utf8'), await readFile(certificateFile, 'utf8')]
    const open = await standInWith()
    const closed = await standInWith({ tls: { key, certificate }, users: { segue: 'right' } })
    const at = `127.0.0.1:${closed.port}`
    const trusted = `tls=true&tlsCAFile=${encodeURIComponent(certificateFile)}`

    await expect(opening(`esdb://127.0.0.1:${open.port}`, { openTimeoutMs: 1_000 })).rejects.toMatchObject({
      message: expect.stringContaining('add ?tls=false'),
    })
    await expect(opening(`esdb://${at}`)).rejects.toMatchObject({ message: expect.stringContaining('tlsCAFile=FILE') })
    await expect(opening(`esdb://${at}?tls=true&tlsCAFile=/nowhere/ca.pem`)).rejects.toMatchObject({
      message: expect.stringContaining('certificate file /nowhere/ca.pem cannot be read'),
    })
    const wrong = opening(`esdb://segue:wr0ng@${at}?${trusted}`)
    await expect(wrong).rejects.toMatchObject({
      message: expect.stringMatching(/refuses the user segue .*check name and password/),
    })
    await expect(wrong).rejects.not.toMatchObject({ message: expect.stringContaining('wr0ng') })
    const store = await storeAt(`esdb://segue:right@${at}?${trusted}`)
    await appended(store, 'server-a', [anEvent()], 'none')
  }, 60_000)

  test('the right to read', async () => {
    const standIn = await standInWith()
    await standIn.fault({ mode: 'denied' })

    await expect(opening(standIn.url)).rejects.toMatchObject({ message: expect.stringContaining('$admins') })
  })
})

describe('the events of others', () => {
  test('are not seen, whether other fleets or other programs wrote them', async () => {
    const standIn = await standInWith()
    const [mine, other] = [await storeAt(withNamespace(standIn.url)), await storeAt(withNamespace(standIn.url))]
    const program = EventStoreDBClient.connectionString(standIn.url)
    afterwards(() => program.dispose())
    await program.appendToStream('server-a', jsonEvent({ type: 'Sold', data: { price: 1 } }))
    await appended(other, 'server-a', [anEvent()], 'none')
    const event = anEvent()
    await appended(mine, 'server-a', [event], 'none')

    expect(ids(await collect(mine.readAll()))).toEqual([event.id])
    expect(ids(await collect(mine.readStream('server-a')))).toEqual([event.id])
  })

  test.each([
    [{ price: 1 }, 'was not written by Segue; give a namespace that other programs do not use'],
    [{ segue: 2, id: 'x' }, 'was written by a newer version of Segue: update Segue'],
  ])('in our namespace with metadata %j are refused by name', async (metadata, reason) => {
    const standIn = await standInWith()
    const namespace = freshNamespace()
    const store = await storeAt(withNamespace(standIn.url, namespace))
    const program = EventStoreDBClient.connectionString(standIn.url)
    afterwards(() => program.dispose())
    await program.appendToStream(`${namespace}.server-a`, jsonEvent({ type: 'Sold', data: {}, metadata }))

    await expect(collect(store.readAll())).rejects.toMatchObject({
      _tag: 'StoreCorrupt',
      message: expect.stringContaining(`event 0 of stream ${namespace}.server-a (Sold) ${reason}`),
    })
  })
})

test('what is kept there can be read with EventStoreDB alone', async () => {
  const standIn = await standInWith()
  const namespace = freshNamespace()
  const store = await storeAt(withNamespace(standIn.url, namespace))
  const event = anEvent('Observed', { cpu: 0.5 })

  await appended(store, 'server-a', [event], 'none')

  const [stored] = await standIn.events()
  expect(stored).toMatchObject({ stream: `${namespace}.server-a`, type: 'Observed', data: '{"cpu":0.5}' })
  expect(JSON.parse(stored?.metadata ?? '')).toEqual({
    segue: 1,
    id: event.id,
    schemaVersion: 1,
    $correlationId: 'c',
    kind: 'fact',
    occurredAt: 1_700_000_000_000,
    actorVersion: 1,
  })
})
