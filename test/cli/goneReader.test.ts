import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { buildSegue, segueProgram } from '../support/segueCommand.js'

beforeAll(buildSegue, 120_000)

/** What `segue ... | head -n LINES` does to a command. */
async function readSome(linesMax: number, ...args: ReadonlyArray<string>) {
  const child = spawn(process.execPath, [segueProgram, ...args], {
    env: { ...process.env, NODE_OPTIONS: '', SEGUE_DEBUG: '' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [stdout, stderr] = ['', '']
  const lines = () => stdout.split('\n').length - 1
  if (linesMax === 0) child.stdout.destroy()
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString()
    if (lines() >= linesMax) child.stdout.destroy()
  })
  const [status, signal] = (await once(child, 'exit')) as [number | null, string | null]
  return { lines: lines(), status, signal, stderr }
}

describe('a command whose reader goes away', () => {
  it('ends quietly', async () => {
    const sound = await readSome(1, 'simulate', '--world', '1', '--trace')
    expect(sound.lines).toBeGreaterThan(0)
    expect(sound).toMatchObject({ status: 0, signal: null, stderr: '' })
  })

  it('tells by its status what it has found all the same', async () => {
    const broken = await readSome(0, 'simulate', '--world', '1', '--trace', '--plant', 'no-fence')
    expect(broken).toEqual({ lines: 0, status: 1, signal: null, stderr: '' })
  })
})
