import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'

export interface FindToolOptions {
  /** Where PATH and the overriding variable are read from; default: this process's environment. */
  readonly env?: NodeJS.ProcessEnv
  /** Folders to look in after PATH. Default: where this kind of system installs servers, which an ordinary user's PATH leaves out. */
  readonly systemFolders?: ReadonlyArray<string>
}

/** The variables that name a program's path outright. */
export const toolOverrides: Readonly<Record<string, string>> = {
  ffmpeg: 'FFMPEG_PATH',
  ffprobe: 'FFPROBE_PATH',
  'nats-server': 'NATS_SERVER_PATH',
}

/** Where the program is not a package of its own. */
const packageOf: Readonly<Record<string, string>> = { ffprobe: 'ffmpeg' }

const systemFoldersOf: Partial<Record<NodeJS.Platform, ReadonlyArray<string>>> = {
  linux: ['/usr/local/sbin', '/usr/sbin', '/sbin'],
  darwin: ['/opt/homebrew/bin', '/usr/local/bin'],
}

/**
 * The absolute path of a program, or undefined when there is none. An overriding variable (see {@link toolOverrides})
 * that is set wins, and then nothing else will do.
 */
export function findTool(name: string, options: FindToolOptions = {}): string | undefined {
  const { env = process.env, systemFolders = systemFoldersOf[process.platform] ?? [] } = options
  const override = overrideOf(name, env)
  if (override !== undefined) return isProgram(override) ? override : undefined
  return [...(env.PATH ?? '').split(delimiter), ...systemFolders]
    .filter(isAbsolute)
    .map((folder) => join(folder, name))
    .find(isProgram)
}

/** Says what was looked for and what to do, for an error message. */
export function explainMissingTool(name: string, env: NodeJS.ProcessEnv = process.env): string {
  const override = overrideOf(name, env)
  const variable = toolOverrides[name]
  if (override !== undefined) return `${variable} names ${override}, which is no program that can be run`
  const pack = packageOf[name] ?? name
  const orSay = variable === undefined ? '' : `, or set ${variable} to its path`
  return `${name} was not found on PATH; install it (Debian, Ubuntu: apt-get install ${pack}; macOS: brew install ${pack})${orSay}`
}

function overrideOf(name: string, env: NodeJS.ProcessEnv): string | undefined {
  const variable = toolOverrides[name]
  const value = variable === undefined ? undefined : env[variable]
  return value === '' ? undefined : value
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}
