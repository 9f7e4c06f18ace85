import { execFile } from 'node:child_process'
import { mkdtemp, rmdir, stat, statfs } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { connect, createServer } from 'node:net'
import { dirname, join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { checkFfmpeg, findFfprobe } from '../media/ffmpegBinary.js'
import { explainMissingTool, findTool, type FindToolOptions } from '../media/findTool.js'
import { defaultDataRoot } from './dataDirectory.js'
import { errorMessage, systemErrorCode } from './systemError.js'

export type CheckStatus = 'ok' | 'warn' | 'fail'

export interface DoctorCheck {
  readonly name: string
  readonly status: CheckStatus
  readonly found: string
  /** What to do about it; absent when there is nothing to do. */
  readonly advice?: string
}

export interface DoctorReport {
  readonly checks: ReadonlyArray<DoctorCheck>
  /** The worst of the checks: with `fail`, Segue does not run on this machine. */
  readonly status: CheckStatus
}

/** A port that Segue will listen on, and for what. */
export interface WantedPort {
  readonly port: number
  readonly purpose: string
}

export interface DoctorOptions extends FindToolOptions {
  /** Default: {@link defaultDataRoot}. */
  readonly dataRoot?: string
  /** Default: {@link defaultPorts}. */
  readonly ports?: ReadonlyArray<WantedPort>
  /** A NATS server that runs already; default: NATS_URL. When it is given, no nats-server is needed here. */
  readonly natsUrl?: string
  /** Default: this process's. */
  readonly nodeVersion?: string
  readonly diskBytesWanted?: number
  readonly diskBytesMin?: number
}

/** What `segue up` listens on unless it is told otherwise. */
export const defaultPorts: ReadonlyArray<WantedPort> = [
  { port: 7000, purpose: 'control plane' },
  { port: 7100, purpose: 'ingest' },
  { port: 7201, purpose: 'media server 1' },
  { port: 7202, purpose: 'media server 2' },
  { port: 7203, purpose: 'media server 3' },
  { port: 7222, purpose: 'NATS server' },
]

const nodeVersionMin = { major: 20, minor: 11 } as const
const natsMinorMin = 9
const gibibyte = 1024 ** 3
const connectTimeoutMs = 2_000
const commandTimeoutMs = 10_000

/**
 * Looks whether this machine can run Segue. Changes nothing, and never rejects: what goes wrong is a check that failed.
 */
export async function runDoctor(options: DoctorOptions = {}): Promise<DoctorReport> {
  const env = options.env ?? process.env
  const dataRoot = options.dataRoot ?? defaultDataRoot({ env })
  const natsUrl = options.natsUrl ?? (env.NATS_URL === '' ? undefined : env.NATS_URL)
  const checks = await Promise.all([
    checkNode(options.nodeVersion ?? process.versions.node),
    checkEncoder(options),
    checkProbe(options),
    natsUrl === undefined ? checkNatsServer(options) : checkNatsUrl(natsUrl),
    checkSqlite(),
    checkDataRoot(dataRoot),
    checkDisk(dataRoot, options),
    ...(options.ports ?? defaultPorts).map(checkPort),
  ])
  return { checks, status: worst(checks.map((check) => check.status)) }
}

/** One line for each check, with what to do below those that are not well, and a verdict at the end. */
export function formatDoctorReport(report: DoctorReport): string {
  const width = Math.max(...report.checks.map((check) => check.name.length))
  const lines = report.checks.flatMap(({ status, name, found, advice }) => [
    `${status.padEnd(4)}  ${name.padEnd(width)}  ${found}`,
    ...(advice === undefined ? [] : [`${' '.repeat(width + 8)}-> ${advice}`]),
  ])
  return [...lines, '', verdicts[report.status]].join('\n')
}

const verdicts: Readonly<Record<CheckStatus, string>> = {
  ok: 'This machine can run Segue.',
  warn: 'This machine can run Segue, but look at the warnings.',
  fail: 'This machine cannot run Segue yet.',
}

const worst = (statuses: ReadonlyArray<CheckStatus>): CheckStatus =>
  statuses.includes('fail') ? 'fail' : statuses.includes('warn') ? 'warn' : 'ok'

async function checkNode(version: string): Promise<DoctorCheck> {
  const name = 'Node.js'
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const wanted = nodeVersionMin
  if (major > wanted.major || (major === wanted.major && minor >= wanted.minor)) {
    return { name, status: 'ok', found: version }
  }
  return { name, status: 'fail', found: version, advice: `install Node ${wanted.major}.${wanted.minor} or newer` }
}

async function checkEncoder(options: FindToolOptions): Promise<DoctorCheck> {
  const name = 'ffmpeg'
  const result = await checkFfmpeg(options)()
  if (E.isRight(result)) {
    return { name, status: 'ok', found: `${result.right.version} with libx264 and aac (${result.right.path})` }
  }
  const error = result.left
  switch (error._tag) {
    case 'FfmpegMissing':
      return { name, status: 'fail', found: 'missing', advice: error.message }
    case 'FfmpegBroken':
      return { name, status: 'fail', found: error.message, advice: 'install ffmpeg again, or set FFMPEG_PATH' }
    case 'FfmpegLacksEncoders': {
      const found = `${error.version} without ${error.missingEncoders.join(' and ')} (${error.path})`
      return { name, status: 'fail', found, advice: 'install a full build of ffmpeg, or set FFMPEG_PATH to one' }
    }
  }
}

/** Test pictures need no ffprobe, so Segue runs without it. */
async function checkProbe(options: FindToolOptions): Promise<DoctorCheck> {
  const name = 'ffprobe'
  const path = findFfprobe(findTool('ffmpeg', options) ?? '', options)
  if (path !== undefined) return { name, status: 'ok', found: path }
  return { name, status: 'warn', found: 'missing', advice: explainMissingTool(name, options.env) }
}

async function checkNatsServer(options: FindToolOptions): Promise<DoctorCheck> {
  const name = 'nats-server'
  const path = findTool('nats-server', options)
  if (path === undefined) {
    const advice = `${explainMissingTool('nats-server', options.env)}; or set NATS_URL to a NATS server that runs already`
    return { name, status: 'fail', found: 'missing', advice }
  }
  const { code, output } = await execute(path, ['--version'])
  const version = /v(\d+)\.(\d+)\.\d+\S*/.exec(output)
  if (code !== 0 || version === null) {
    return {
      name,
      status: 'fail',
      found: `${path} does not run: ${output.trim()}`,
      advice: 'install nats-server again',
    }
  }
  const [text, major, minor] = version
  const isOld = Number(major) < 2 || (Number(major) === 2 && Number(minor) < natsMinorMin)
  const found = `${text} (${path})`
  if (isOld) return { name, status: 'warn', found, advice: `Segue is tested with 2.${natsMinorMin} and newer` }
  return { name, status: 'ok', found }
}

/** A cluster is written as several addresses with commas between them; one that answers will do. */
async function checkNatsUrl(natsUrl: string): Promise<DoctorCheck> {
  const name = 'NATS_URL'
  const addresses = natsUrl.split(',').map(parseNatsAddress)
  const answers = await Promise.all(
    addresses.map(async (address) => (address === undefined ? 'it is not an address' : knock(address))),
  )
  if (answers.includes(undefined)) return { name, status: 'ok', found: `${natsUrl} answers` }
  const why = answers.find((answer) => answer !== undefined) ?? ''
  const advice = 'start the NATS server there, or unset NATS_URL so that Segue starts one itself'
  return { name, status: 'fail', found: `${natsUrl} does not answer (${why})`, advice }
}

interface Address {
  readonly host: string
  readonly port: number
}

function parseNatsAddress(text: string): Address | undefined {
  const trimmed = text.trim()
  try {
    const url = new URL(/^\w+:\/\//.test(trimmed) ? trimmed : `nats://${trimmed}`)
    if (url.hostname === '') return undefined
    return { host: url.hostname.replace(/^\[|\]$/g, ''), port: url.port === '' ? 4222 : Number(url.port) }
  } catch {
    return undefined
  }
}

/** Why nobody answers at the address, or undefined when somebody does. */
function knock({ host, port }: Address): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port })
    const finish = (answer: string | undefined) => {
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(connectTimeoutMs, () => finish(`no answer within ${connectTimeoutMs} ms`))
    socket.once('connect', () => finish(undefined))
    socket.once('error', (error) => finish(error.message))
  })
}

async function checkSqlite(): Promise<DoctorCheck> {
  const name = 'better-sqlite3'
  const advice = 'run: npm rebuild better-sqlite3 (it needs python3, make and a C++ compiler)'
  const path = resolvePackage('better-sqlite3')
  if (path === undefined) return { name, status: 'fail', found: 'missing', advice: 'run: npm install' }
  // In a process of its own: a binary that was compiled for another Node version can end the process that loads it.
  const script = `const db = new (require(process.argv[1]))(':memory:')
    process.stdout.write(db.prepare('select sqlite_version()').pluck().get())`
  const { code, output } = await execute(process.execPath, ['-e', script, path])
  if (code === 0) return { name, status: 'ok', found: `loads (SQLite ${output.trim()})` }
  const why = /^\w*Error: .*$/m.exec(output)?.[0] ?? `exit code ${code}`
  return { name, status: 'fail', found: `does not load: ${why}`, advice }
}

function resolvePackage(name: string): string | undefined {
  try {
    return createRequire(import.meta.url).resolve(name)
  } catch {
    return undefined
  }
}

async function checkDataRoot(dataRoot: string): Promise<DoctorCheck> {
  const name = 'data folder'
  const advice = 'give this user the right to write there, or choose another data folder'
  try {
    const probe = await mkdtemp(join(await nearestFolder(dataRoot), '.segue-doctor-'))
    await rmdir(probe)
    return { name, status: 'ok', found: `${dataRoot} can be written` }
  } catch (error) {
    return { name, status: 'fail', found: `${dataRoot} cannot be written (${errorMessage(error)})`, advice }
  }
}

async function checkDisk(dataRoot: string, options: DoctorOptions): Promise<DoctorCheck> {
  const { diskBytesWanted = 2 * gibibyte, diskBytesMin = gibibyte / 4 } = options
  const name = 'free disk space'
  try {
    const { bavail, bsize } = await statfs(await nearestFolder(dataRoot))
    const freeBytes = bavail * bsize
    const found = `${(freeBytes / gibibyte).toFixed(1)} GiB at ${dataRoot}`
    if (freeBytes >= diskBytesWanted) return { name, status: 'ok', found }
    const advice = `free some: ${(diskBytesWanted / gibibyte).toFixed(1)} GiB are enough for a long run`
    return { name, status: freeBytes < diskBytesMin ? 'fail' : 'warn', found, advice }
  } catch (error) {
    return { name, status: 'warn', found: `unknown (${errorMessage(error)})` }
  }
}

/** The folder itself, or the first above it that exists: the one that it would be made in. */
async function nearestFolder(path: string): Promise<string> {
  try {
    await stat(path)
    return path
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT' || dirname(path) === path) throw error
    return nearestFolder(dirname(path))
  }
}

function checkPort({ port, purpose }: WantedPort): Promise<DoctorCheck> {
  const name = `port ${port}`
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error) => {
      const isTaken = systemErrorCode(error) === 'EADDRINUSE'
      const found = isTaken ? `in use, wanted for the ${purpose}` : `cannot be listened on (${error.message})`
      const advice = 'end what listens there (Segue itself, perhaps), or choose another port'
      resolve({ name, status: 'warn', found, advice })
    })
    server.listen(port, () => server.close(() => resolve({ name, status: 'ok', found: `free for the ${purpose}` })))
  })
}

function execute(
  program: string,
  args: ReadonlyArray<string>,
): Promise<{ readonly code: number; readonly output: string }> {
  return new Promise((resolve) => {
    execFile(program, args, { timeout: commandTimeoutMs, killSignal: 'SIGKILL' }, (error, stdout, stderr) => {
      if (error === null) return resolve({ code: 0, output: stdout + stderr })
      const output = stderr === '' ? error.message : stderr
      resolve({ code: typeof error.code === 'number' ? error.code : 1, output })
    })
  })
}
