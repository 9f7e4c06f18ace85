import { Writable } from 'node:stream'
import type { CommandContext } from '../../../src/cli/context.js'
import { Lines } from '../../../src/cli/output/lines.js'

/** A reader that takes a little at a time: every write has to be waited for. */
const slowOutput = () => {
  const taken: string[] = []
  const output = new Writable({
    highWaterMark: 1,
    write: (chunk: Buffer, _encoding, done) => {
      taken.push(chunk.toString())
      setImmediate(done)
    },
  })
  return { output, taken }
}

const linesTo = (output: Writable): Lines => new Lines({ stdout: output } as unknown as CommandContext)

describe('lines on standard output', () => {
  it('leave no listener behind at a reader that has to be waited for', async () => {
    const { output, taken } = slowOutput()
    const lines = linesTo(output)
    const listeners = () => ['drain', 'close', 'error'].map((event) => output.listenerCount(event))
    const before = listeners()
    for (let index = 0; index < 50; index += 1) {
      await lines.write(`line ${index}`)
      await lines.flush()
    }
    expect(taken).toHaveLength(50)
    expect(listeners()).toEqual(before)
  })

  it('go no further when the reader goes away while it is waited for', async () => {
    const output = new Writable({ highWaterMark: 1, write: () => undefined })
    const lines = linesTo(output)
    await lines.write('line')
    const flushed = lines.flush()
    output.destroy(new Error('nobody reads'))
    await flushed
    expect(lines.isClosed).toBe(true)
    expect(['drain', 'close'].map((event) => output.listenerCount(event))).toEqual([0, 0])
  })
})
