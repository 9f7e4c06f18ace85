import * as E from 'fp-ts/lib/Either.js'
import { parseConnection, sqliteAt, type StoreConnection } from '../../../src/events/stores/index.js'
import { readModelPath } from '../../../src/runtime/projecting/index.js'

function at(text: string): string {
  const connection = parseConnection(text)
  if (E.isLeft(connection)) throw new Error(connection.left)
  return readModelPath(connection.right satisfies StoreConnection, '/data')
}

describe('the place of projections', () => {
  test('is beside the file of a log', () => {
    expect(readModelPath(sqliteAt('/var/lib/segue/events.sqlite'), '/data')).toBe('/var/lib/segue/projections.sqlite')
  })

  test('of EventStoreDB is the same for everybody who reads the log, whoever that is and however', () => {
    const place = at('esdb://one:2113,two:2113?tls=false')
    expect(place).toMatch(/^\/data\/projections\/[0-9a-f]{16}\.sqlite$/)
    for (const same of [
      'esdb://me:secret@one:2113,two:2113?tls=false',
      'esdb://you:other@one,two?tlsCAFile=ca.pem&namespace=segue',
      'ESDB://Two:2113,ONE:2113?tls=false&connectionName=x',
    ]) {
      expect(at(same)).toBe(place)
    }
  })

  test('of EventStoreDB is another for another log', () => {
    const others = [
      'esdb://one:2113',
      'esdb://two:2113',
      'esdb+discover://one:2113',
      'esdb://one:2114',
      'esdb://one:2113?namespace=other',
    ]
    expect(new Set(others.map(at)).size).toBe(others.length)
  })
})
