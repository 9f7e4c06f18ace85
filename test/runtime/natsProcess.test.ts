import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startNatsProcess } from '../../src/runtime/natsProcess.js'
import { hasNatsServer, startNatsServer } from '../support/natsServer.js'
import { describeUnless } from '../support/skip.js'

let dataDir = ''
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'segue-nats-process-'))
})
afterEach(() => rm(dataDir, { recursive: true, force: true }))

test('a missing nats-server binary is reported with what to install', async () => {
  const starting = startNatsProcess({ dataDir, port: 12_345, binary: 'no-such-nats-server' })

  await expect(starting).rejects.toMatchObject({
    reason: 'binary-missing',
    message: expect.stringContaining('install NATS server'),
  })
})

describeUnless(!hasNatsServer && 'nats-server is not installed', 'a nats-server of our own', () => {
  test('a port that another program holds is reported as such', async () => {
    const holder = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => holder.once('listening', resolve))
    const address = holder.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0

    const starting = startNatsProcess({ dataDir, port })

    await expect(starting).rejects.toMatchObject({ reason: 'port-in-use', message: expect.stringContaining(`${port}`) })
    await new Promise((resolve) => holder.close(resolve))
  })

  test('a port that another nats-server holds is reported as such, and the other one stays', async () => {
    const other = await startNatsServer()

    const starting = startNatsProcess({ dataDir, port: Number(new URL(other.url).port) })

    await expect(starting).rejects.toMatchObject({ reason: 'port-in-use' })
    expect(() => process.kill(other.pid, 0)).not.toThrow()
    await other.stop()
  })

  test('it ends when asked to, and can be started again at the same address', async () => {
    const server = await startNatsServer()
    const before = server.pid

    await server.restart()

    expect(server.pid).not.toBe(before)
    expect(() => process.kill(before, 0)).toThrow('ESRCH')
    await server.stop()
    expect(() => process.kill(server.pid, 0)).toThrow('ESRCH')
  })
})
