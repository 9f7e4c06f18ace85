import { lastLines, run } from './commands.mjs'
import { locate } from './tools.mjs'
import { SetupError, step } from './output.mjs'

/**
 * A way to install programs on this machine.
 * @typedef {object} Installer
 * @property {(tools: readonly import('./tools.mjs').Tool[]) => string} commandFor what a person would type
 * @property {((tools: readonly import('./tools.mjs').Tool[]) => Promise<{ code: number, output: string }>) | undefined} install undefined when it needs a password
 */

const APT_OPTIONS = ['-y', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=300']
const buildTools = { name: 'a C++ compiler', aptPackages: ['build-essential', 'python3'], brewPackages: ['python3'] }

const finds = (program, env) => locate({ programs: [program], override: '' }, env) !== undefined

/**
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<Installer | undefined>}
 */
export async function findInstaller(env) {
  if (finds('apt-get', env)) return aptInstaller(env)
  if (finds('brew', env)) {
    const args = (tool) => ['install', ...tool.brewPackages]
    return {
      commandFor: (tools) => tools.map((tool) => `brew ${args(tool).join(' ')}`).join(' && '),
      install: (tools) => inOrder(tools.map((tool) => () => run('brew', args(tool), { env }))),
    }
  }
  return undefined
}

async function aptInstaller(env) {
  const isRoot = process.getuid?.() === 0
  const hasSudo = !isRoot && finds('sudo', env) && (await run('sudo', ['-n', 'true'], { env })).code === 0
  const packages = (tools) => tools.flatMap((tool) => tool.aptPackages)
  const apt = (args) =>
    isRoot
      ? run('apt-get', args, { env: { ...env, DEBIAN_FRONTEND: 'noninteractive' } })
      : run('sudo', ['-n', 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', ...args], { env })
  const sudo = isRoot ? '' : 'sudo '
  return {
    commandFor: (tools) => `${sudo}apt-get update && ${sudo}apt-get install -y ${packages(tools).join(' ')}`,
    install:
      isRoot || hasSudo
        ? (tools) => inOrder([() => apt(['update']), () => apt(['install', ...APT_OPTIONS, ...packages(tools)])])
        : undefined,
  }
}

/** Runs one after the other. An early failure does not stop the rest: an old package list may still do. */
async function inOrder(runs) {
  let code = 0
  let output = ''
  for (const start of runs) {
    const result = await start()
    code = result.code
    output += result.output
  }
  return { code, output }
}

/**
 * @param {{ tools: readonly { name: string }[], installer: Installer | undefined, mayInstall: boolean, write: (text: string) => void }} options
 * @returns {Promise<boolean>} whether an installation was tried
 */
export async function installTools({ tools, installer, mayInstall, write }) {
  if (!mayInstall || installer?.install === undefined) return false
  const { install } = installer
  await step(write, `installing ${tools.map((tool) => tool.name).join(' and ')}`, async () => {
    const { code, output } = await install(tools)
    if (code !== 0) write(`\n${lastLines(output, 15)}\n`)
  })
  return true
}

/** What to do about missing tools, as text for a person. */
export function adviceFor(tools, installer) {
  const names = tools.map((tool) => tool.name).join(' and ')
  if (installer !== undefined) return `run: ${installer.commandFor(tools)}`
  const overrides = tools.map((tool) => tool.override).filter(Boolean)
  const orSay = overrides.length > 0 ? `, or say where to find it with ${overrides.join(' and ')}` : ''
  return `install ${names} with this system's package manager${orSay}`
}

/** Installs what node-gyp needs, or says what to install. */
export async function installBuildTools({ installer, mayInstall, write }) {
  if (await installTools({ tools: [buildTools], installer, mayInstall, write })) return
  throw new SetupError(`a native package has to be compiled; ${adviceFor([buildTools], installer)}`)
}
