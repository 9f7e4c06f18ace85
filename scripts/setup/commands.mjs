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
export function run(program, args, { cwd, env = process.env, timeoutMs, niceness = 0 } = {}) {
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
    giveWay(child, niceness)
    child.stdout.setEncoding('utf8').on('data', keep)
    child.stderr.setEncoding('utf8').on('data', keep)
    child.on('error', (error) => resolve({ code: 127, output: error.message }))
    child.on('close', (code) => resolve({ code: code ?? 1, output }))
  })
}

/**
 * Lowers the priority of a process that has just been started.
 * @param {import('node:child_process').ChildProcess} child
 * @param {number} niceness as in `run`
 */
export function giveWay({ pid }, niceness) {
  if (pid !== undefined && niceness > 0) setPriority(pid, Math.min(19, getPriority() + niceness))
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
