import { spawn } from 'node:child_process'
import { getPriority, setPriority } from 'node:os'

const OUTPUT_CHARS_MAX = 200_000

/**
 * Runs a program without input and collects what it says. A program that cannot be started counts as code 127.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, timeoutMs?: number, niceness?: number }} [options]
 *   `niceness`: by how much it gives way to what runs with the priority of this process
 * @returns {Promise<{ code: number, output: string }>}
 */
export function run(program, args, { cwd, env = process.env, timeoutMs, niceness } = {}) {
  return new Promise((resolve) => {
    let output = ''
    const keep = (chunk) => {
      output = (output + chunk).slice(-OUTPUT_CHARS_MAX)
    }
    const child = spawn(program, args, {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: timeoutMs,
      shell: process.platform === 'win32' && program === 'npm',
    })
    if (niceness !== undefined && child.pid !== undefined)
      setPriority(child.pid, Math.min(19, getPriority() + niceness))
    child.stdout.setEncoding('utf8').on('data', keep)
    child.stderr.setEncoding('utf8').on('data', keep)
    child.on('error', (error) => resolve({ code: 127, output: error.message }))
    child.on('close', (code) => resolve({ code: code ?? 1, output }))
  })
}

/** Runs npm as the same npm that started us, if one did. */
export function runNpm(args, options) {
  const npm = process.env.npm_execpath
  return npm !== undefined && /npm-cli\.[cm]?js$/.test(npm)
    ? run(process.execPath, [npm, ...args], options)
    : run('npm', args, options)
}

/** The end of a program's output, for an error message. */
export const lastLines = (output, lines = 40) => output.trimEnd().split('\n').slice(-lines).join('\n')
