import { spawn } from 'node:child_process'

/**
 * Lets a program work for a while, counted from its first line, when all of it is under way, and kills it. Resolves to what
 * it had written; rejects when it ended by itself.
 */
export function outputUntilKilled(program, args, lifeMs) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
    let told = ''
    let timer
    child.stdout.on('data', (chunk) => {
      told += String(chunk)
      timer ??= setTimeout(() => child.kill('SIGKILL'), lifeMs)
    })
    child.on('error', reject)
    child.on('close', (code) => {
      clearTimeout(timer)
      if (code !== null) return reject(new Error(`${program} ended by itself with code ${code}`))
      return resolve(told)
    })
  })
}
