import { createServer, type AddressInfo, type Server } from 'node:net'
import { PortInUse, Ports } from '../../../src/runtime/fleet/ports.js'

const host = '127.0.0.1'

describe('the ports of a fleet', () => {
  let occupant: Server
  let taken: number

  beforeEach(async () => {
    occupant = createServer()
    await new Promise<void>((resolve) => occupant.listen(0, host, resolve))
    taken = (occupant.address() as AddressInfo).port
  })

  afterEach(() => new Promise<unknown>((resolve) => occupant.close(resolve)))

  it('begin at the first free one', async () => {
    expect(await new Ports(host).from(taken)).toBeGreaterThan(taken)
  })

  it('are given out only once', async () => {
    const ports = new Ports(host)
    const given = await Promise.all([ports.from(taken), ports.from(taken), ports.from(taken)])
    expect(new Set(given).size).toBe(3)
  })

  it('are refused with advice when one was asked for that is in use', async () => {
    const asked = new Ports(host).exactly(taken)
    await expect(asked).rejects.toThrow(PortInUse)
    await expect(asked).rejects.toThrow(
      `port ${taken} on 127.0.0.1 is in use; end what listens there or choose another with --port`,
    )
  })

  it('end where there are no more', async () => {
    await expect(new Ports(host).from(65_536)).rejects.toThrow('no port from 65536 on is free')
  })
})
