import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'
import { run } from './commands.mjs'
import { fileMark } from './files.mjs'

/**
 * @typedef {object} Tool
 * @property {string} name how it is called in messages
 * @property {readonly string[]} programs the names its program goes by, best first
 * @property {string} override environment variable that holds its path
 * @property {readonly string[]} aptPackages
 * @property {readonly string[]} brewPackages
 * @property {(path: string) => Promise<string | undefined>} fault why the program at this path will not do
 */

const SYSTEM_FOLDERS = {
  linux: ['/usr/local/sbin', '/usr/sbin', '/sbin'],
  darwin: ['/opt/homebrew/bin', '/usr/local/bin'],
}
const ASK_TIMEOUT_MS = 20_000

/** @type {Tool} */
export const ffmpeg = {
  name: 'ffmpeg',
  programs: ['ffmpeg'],
  override: 'FFMPEG_PATH',
  aptPackages: ['ffmpeg'],
  brewPackages: ['ffmpeg'],
  async fault(path) {
    const { code, output } = await run(path, ['-hide_banner', '-encoders'], { timeoutMs: ASK_TIMEOUT_MS })
    if (code !== 0) return `it does not run (exit code ${code})`
    const missing = ['libx264', 'aac'].filter((encoder) => !new RegExp(`^ [VA]\\S* ${encoder} `, 'm').test(output))
    return missing.length === 0 ? undefined : `it was built without the encoder ${missing.join(' and ')}`
  },
}

/** @type {Tool} */
export const natsServer = {
  name: 'nats-server',
  programs: ['nats-server'],
  override: 'NATS_SERVER_PATH',
  aptPackages: ['nats-server'],
  brewPackages: ['nats-server'],
  async fault(path) {
    const { code } = await run(path, ['--version'], { timeoutMs: ASK_TIMEOUT_MS })
    return code === 0 ? undefined : `it does not run (exit code ${code})`
  },
}

/** @type {Tool} */
export const chromium = {
  name: 'Chromium',
  programs: [
    'chromium',
    'google-chrome',
    'google-chrome-stable',
    'chromium-browser',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
  ],
  override: 'CHROMIUM_PATH',
  aptPackages: ['chromium', 'fonts-dejavu-core'],
  brewPackages: ['--cask', 'chromium'],
  async fault(path) {
    const { code } = await run(path, ['--version'], { timeoutMs: ASK_TIMEOUT_MS })
    return code === 0 ? undefined : `it does not run (exit code ${code})`
  },
}

/**
 * The path of the tool's program, or undefined. Also looks where servers are installed, since an ordinary user's PATH
 * leaves those folders out.
 * @param {Tool} tool
 * @param {NodeJS.ProcessEnv} env
 */
export function locate(tool, env) {
  const override = env[tool.override]
  if (override !== undefined && override !== '') return isProgram(override) ? override : undefined
  const folders = [...(env.PATH ?? '').split(delimiter), ...(SYSTEM_FOLDERS[process.platform] ?? [])]
  for (const program of tool.programs) {
    const candidates = isAbsolute(program)
      ? [program]
      : folders.filter(isAbsolute).map((folder) => join(folder, program))
    const found = candidates.find(isProgram)
    if (found !== undefined) return found
  }
  return undefined
}

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

/**
 * Whether the tool was found good before and is the same file still; asking it again would cost a process each time.
 * @param {Tool} tool
 */
export function isKnownGood(tool, stamp, env) {
  const path = locate(tool, env)
  const known = stamp?.tools?.[tool.name]
  return path !== undefined && known?.path === path && known.mark === fileMark(path)
}

/**
 * Looks for the tool and asks it whether it will do.
 * @param {Tool} tool
 * @returns {Promise<{ good: true, path: string, mark: string } | { good: false, why: string, path?: string }>}
 */
export async function examine(tool, env) {
  const path = locate(tool, env)
  if (path === undefined) {
    const override = env[tool.override]
    const set = override !== undefined && override !== ''
    return { good: false, why: set ? `${tool.override} is ${override}, which is no program` : 'not found' }
  }
  const fault = await tool.fault(path)
  return fault === undefined
    ? { good: true, path, mark: fileMark(path) }
    : { good: false, path, why: `${path}: ${fault}` }
}
