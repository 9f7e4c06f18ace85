import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NatsRole } from '../../../src/runtime/fleet/natsRole.js'
import { freePort } from '../../support/freePort.js'
import { hasNatsServer } from '../../support/natsServer.js'
import { describeUnless } from '../../support/skip.js'
import { waitFor } from '../../support/waitFor.js'

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true))
    socket.once('error', () => resolve(false))
    socket.once('close', () => socket.destroy())
  })

describeUnless(!hasNatsServer && 'nats-server is not installed', 'the nats-server of a local fleet', () => {
  it('is not left behind by a fleet that ends while it is started again', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'segue-nats-role-'))
    const port = await freePort()
    const notes: string[] = []
    const nats = await NatsRole.start({ dataDir, host: '127.0.0.1', port, onNote: (text) => notes.push(text) })
    nats.kill('SIGKILL')
    await waitFor(() => notes.some((note) => note.includes('started again')))
    // It listens before it is known to be ready.
    await waitFor(() => answers(port), { everyMs: 5 })
    await nats.stop()

    expect(await answers(port)).toBe(false)
    await rm(dataDir, { recursive: true })
  })
})
