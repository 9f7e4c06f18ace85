// What the pictures of a stream cost its encoder process: CPU seconds for a stretch of the test card, read from a file.
//   node bench/renditions.mjs [--seconds 20]   (after npm run build)
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { encoderRun } from '../dist/media/encoder/arguments.js'
import { formatFor } from '../dist/media/format.js'
import { sourceRun } from '../dist/media/ingest/arguments.js'
import { row } from './stage.mjs'

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '20' } } })
const ladders = [[360], [360, 180], [720], [720, 360], [720, 360, 180]]
const dir = await mkdtemp(join(tmpdir(), 'segue-renditions-'))

/** Arguments of ffmpeg for a run; without `-re`, as fast as it goes. */
const argumentsOf = ({ inputs, outputOptions }, file) => [
  ...inputs.flatMap(({ source, options }) => [...options.filter((each) => each !== '-re'), '-i', source ?? file]),
  ...outputOptions,
]

/** User and system time, in per cent of one core over the stretch of media. */
async function cost(args) {
  const child = spawn('bash', ['-c', 'TIMEFORMAT="%U %S"; time ffmpeg "$@" 2>/dev/null', 'ffmpeg', ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let told = ''
  child.stderr.on('data', (chunk) => (told += chunk))
  const status = await new Promise((resolve) => child.once('close', resolve))
  const [user, system] = told.trim().split(' ').map(Number)
  if (status !== 0 || !(user >= 0)) throw new Error(`ffmpeg failed (${status})`)
  return (100 * (user + system)) / Number(values.seconds)
}

try {
  console.log(row('pictures', 'encoder, % of a core', 'feed'))
  for (const [height, ...smaller] of ladders) {
    const format = formatFor({ fps: 25, height, smaller }).right
    const size = { width: (height * 16) / 9, height }
    const feed = join(dir, `${height}.ts`)
    const source = { source: { type: 'testcard' }, format, size, timed: true, interlaced: false, withText: true }
    const made = await cost(['-y', ...argumentsOf(sourceRun(source)), '-t', values.seconds, feed])
    const encoded = await cost([...argumentsOf(encoderRun(format), feed), 'pipe:1'])
    console.log(row([height, ...smaller].map((each) => `${each}p`).join(', '), encoded.toFixed(1), made.toFixed(1)))
  }
} finally {
  await rm(dir, { recursive: true, force: true })
}
