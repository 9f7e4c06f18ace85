import { transformFileSync } from '@swc/core'
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { HealthSample } from '../../../../src/events/catalogue/health.js'
import type { Fault } from '../../../../src/messaging/codecs.js'

const source = fileURLToPath(new URL('../../../../src/', import.meta.url))
const script = fileURLToPath(new URL('./subject.mjs', import.meta.url))

export interface CompiledModules {
  readonly dir: string
  readonly remove: () => void
}

/** Compiles the modules that a subject loads, so that the worker thread and the process are those of a real installation. */
export const compileModules = (): CompiledModules => {
  const dir = mkdtempSync(join(tmpdir(), 'segue-subject-'))
  writeFileSync(join(dir, 'package.json'), '{"type":"module"}')
  for (const folder of ['health', 'runtime/faults']) {
    for (const file of readdirSync(join(source, folder), { recursive: true, encoding: 'utf8' })) {
      if (!file.endsWith('.ts')) continue
      const { code } = transformFileSync(join(source, folder, file), {
        jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
        module: { type: 'es6' },
        swcrc: false,
      })
      const target = join(dir, folder, file.replace(/ts$/, 'js'))
      mkdirSync(dirname(target), { recursive: true })
      writeFileSync(target, code)
    }
  }
  return { dir, remove: () => rmSync(dir, { recursive: true }) }
}

export interface Subject {
  readonly samples: ReadonlyArray<HealthSample>
  readonly signal: () => NodeJS.Signals | null
  readonly exited: () => boolean
  readonly stop: () => void
}

export interface SubjectOptions {
  readonly memoryLimitBytes?: number
  readonly intervalMs?: number
  readonly diskDir?: string
  readonly fault?: Fault
  readonly faultAfterMs?: number
}

/** Starts the small media-like server of subject.mjs as a process of its own. */
export const startSubject = (modules: CompiledModules, options: SubjectOptions): Subject => {
  const child: ChildProcess = spawn(process.execPath, [script, modules.dir, JSON.stringify(options)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const samples: HealthSample[] = []
  if (child.stdout !== null) {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const message = JSON.parse(line) as { readonly sample?: HealthSample }
      if (message.sample !== undefined) samples.push(message.sample)
    })
  }
  return {
    samples,
    signal: () => child.signalCode,
    exited: () => child.signalCode !== null || child.exitCode !== null,
    stop: () => child.kill('SIGKILL'),
  }
}
