import { Writable } from 'node:stream'
import { untilUnread } from '../../../src/runtime/fleet/unread.js'

const failingWith = (code: string): Writable =>
  new Writable({
    autoDestroy: false,
    write: (_chunk, _encoding, done) => done(Object.assign(new Error(`write ${code}`), { code })),
  }).on('error', () => undefined)

async function hasGone(output: Writable): Promise<boolean> {
  const { unread, release } = untilUnread(output)
  output.write('a line\n')
  const gone = await Promise.race([unread.then(() => true), new Promise((resolve) => setImmediate(resolve, false))])
  release()
  expect(output.listenerCount('error')).toBe(1)
  return gone === true
}

describe('a fleet that is shown to somebody', () => {
  it('learns that its reader has gone away', async () => {
    expect(await hasGone(failingWith('EPIPE'))).toBe(true)
  })

  it('does not take another trouble for it', async () => {
    expect(await hasGone(failingWith('ENOSPC'))).toBe(false)
  })
})
