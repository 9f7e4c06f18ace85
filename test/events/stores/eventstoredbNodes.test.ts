import * as E from 'fp-ts/lib/Either.js'
import { parseAddress } from '../../../src/events/stores/eventstoredb/index.js'
import { describeConnection, parseConnection } from '../../../src/events/stores/index.js'
import { anEvent, appended, collect, ids } from '../../contracts/eventStoreContract.js'
import { addressOf, withNamespace } from '../../support/eventStoreStandIn.js'
import { freePort } from '../../support/freePort.js'
import { closeAfterEach, standInWith, storeAt } from '../../support/standIns.js'

closeAfterEach()

const quickly = 'tls=false&maxDiscoverAttempts=2&discoveryInterval=20'

const clusterAt = (url: string) => storeAt(withNamespace(url), { answerTimeoutMs: 5_000 })

describe('the connection to a cluster', () => {
  test.each([
    ['esdb+discover://a:2113,b:2114,c:2115', [2113, 2114, 2115]],
    ['esdb+discover://a,b:2114, c', [2113, 2114, 2113]],
    ['ESDB+DISCOVER://a,b/?tls=false', [2113, 2113]],
    ['esdb+discover://me:p%2Cw%40rd@a,b', [2113, 2113]],
  ])('%s names its nodes', (text, ports) => {
    const { discover, hosts } = addressOf(text)
    expect(discover).toBe(true)
    expect(hosts).toEqual(['a', 'b', 'c'].slice(0, ports.length).map((address, at) => ({ address, port: ports[at] })))
  })

  test('is shown with its nodes, and without its password', () => {
    const connection = parseConnection('esdb+discover://me:p%2Cw%40rd@a,b:2114?tls=false&namespace=north')
    if (E.isLeft(connection)) throw new Error(connection.left)
    expect(describeConnection(connection.right)).toBe('esdb+discover://a:2113,b:2114 (north)')
  })

  test.each([
    ['esdb+discover://', 'Give esdb://host:2113?tls=false or esdb+discover://'],
    ['esdb+discover://a,,b', 'Give every host as host or host:port.'],
    ['esdb+discover://a,b,', 'Give every host as host or host:port.'],
    ['esdb+discover://a:0,b', 'Give every host as host or host:port.'],
    ['esdb+discover://a,b:70000', 'Give every host as host or host:port.'],
    ['esdb+discover://a,b:port', 'Give every host as host or host:port.'],
    ['esdb+discover://me@a,b', 'Write user and password as user:password@, percent-encoded.'],
    ['esdb+discover://me:secret@a,b@c', 'Give'],
    ['esdb+discover://me:secret@a,b?nodePreference=best', 'Give nodePreference as one of leader, follower'],
    ['esdb+discover://me:secret@a,b?gossipTimeout=soon', 'Give gossipTimeout as a whole number.'],
    ['esdb+discover://me:secret@a,b?tls=maybe', 'Give tls=true or tls=false.'],
    ['esdb+discover://me:secret@a,b?tlsVerifyCert=false', 'give the certificate of the authority with tlsCAFile=FILE'],
    ['esdb+discover://me:secret@a,b?color=red', 'Of the settings after "?" these are understood: tlsCAFile'],
  ])('%s is refused, with what to give instead', (text, reason) => {
    const address = parseAddress(text)
    expect(address).toMatchObject({ left: expect.stringContaining(reason) })
    expect(address).not.toMatchObject({ left: expect.stringContaining('secret') })
  })
})

describe('a store of several nodes', () => {
  test.each(['esdb', 'esdb+discover'])('is reached (%s) through whichever node is up', async (scheme) => {
    const node = await standInWith()
    const store = await clusterAt(`${scheme}://127.0.0.1:${await freePort()},127.0.0.1:${node.port}?${quickly}`)
    const event = anEvent()
    await appended(store, 'server-a', [event], 'none')
    expect(ids(await collect(store.readStream('server-a')))).toEqual([event.id])
  })

  test('is written to through the node that leads', async () => {
    const leader = await standInWith()
    const follower = await standInWith({ leader: { host: '127.0.0.1', port: leader.port } })
    const store = await clusterAt(`esdb+discover://127.0.0.1:${follower.port}?${quickly}`)
    await appended(store, 'server-a', [anEvent()], 'none')
    expect([(await leader.events()).length, (await follower.events()).length]).toEqual([1, 0])
  })

  test('none of which can be reached says so, with their names and no password', async () => {
    const [one, other] = [await freePort(), await freePort()]
    const opening = clusterAt(`esdb+discover://me:secret@127.0.0.1:${one},127.0.0.1:${other}?${quickly}`)
    await expect(opening).rejects.toMatchObject({
      _tag: 'StoreUnavailable',
      message: expect.stringMatching(
        new RegExp(
          `^esdb\\+discover://127\\.0\\.0\\.1:${one},127\\.0\\.0\\.1:${other} cannot be reached .*check that EventStoreDB runs there`,
        ),
      ),
    })
    await expect(opening).rejects.not.toMatchObject({ message: expect.stringContaining('secret') })
  })
})
