import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startChild, type Child, type ChildSpec } from '../../../src/runtime/fleet/child.js'
import { Role } from '../../../src/runtime/fleet/role.js'
import type { ChildMessage } from '../../../src/runtime/process/supervision.js'
import { waitFor } from '../../support/waitFor.js'

const program = fileURLToPath(new URL('programs/part.mjs', import.meta.url))

describe('a process of the fleet', () => {
  let folder: string
  let heard: ChildMessage[]
  const children: Child[] = []

  const specOf = (...args: ReadonlyArray<string>): ChildSpec => ({
    role: 'part',
    program,
    args,
    env: process.env,
    logFile: join(folder, 'part.log'),
    onMessage: (message) => heard.push(message),
    now: Date.now,
  })
  const start = (...args: ReadonlyArray<string>): Child => {
    const child = startChild(specOf(...args))
    children.push(child)
    return child
  }

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'segue-child-'))
    heard = []
  })

  afterEach(async () => {
    await Promise.all(children.splice(0).map((child) => child.stop(100)))
    await rm(folder, { recursive: true })
  })

  it('is ready when it says so, with its address and boot', async () => {
    const child = start('serve')
    expect(await child.ready).toEqual({ url: 'http://127.0.0.1:1', bootId: `boot-${child.pid}` })
  })

  it('fails with the reason that it gave', async () => {
    await expect(start('refuse', 'port 1 is in use').ready).rejects.toMatchObject({
      _tag: 'ChildFailed',
      role: 'part',
      code: 'port-in-use',
      message: 'port 1 is in use',
    })
  })

  it('fails with what it wrote last when it gave no reason', async () => {
    await expect(start('break', 'no such module').ready).rejects.toThrow('Error: no such module')
  })

  it('passes on what it says, except for what nobody understands', async () => {
    await start('babble', 'careful').ready
    expect(heard).toEqual([
      { type: 'log', level: 'warn', message: 'careful' },
      { type: 'ready', url: null, bootId: null },
    ])
  })

  it('tells an end that was asked for from one that was not', async () => {
    const [first, second] = [start('serve'), start('serve')]
    await Promise.all([first.ready, second.ready])
    second.kill('SIGKILL')
    expect(await first.stop()).toMatchObject({ asked: true, how: 'exit code 0' })
    expect(await second.exited).toMatchObject({ asked: false, how: 'SIGKILL' })
  })

  it('is ended in order although it was suspended', async () => {
    const child = start('serve')
    await child.ready
    child.kill('SIGSTOP')
    expect(await child.stop()).toMatchObject({ asked: true, how: 'exit code 0' })
  })

  it('is killed when it does not end in time', async () => {
    const child = start('deaf')
    await child.ready
    expect(await child.stop(50)).toMatchObject({ asked: true, how: 'SIGKILL' })
  })
})

describe('a place in the fleet', () => {
  let folder: string
  let role: Role
  let notes: string[]
  let deaths: string[]

  const fill = (args: ReadonlyArray<string>, restartAfterMs: number | null = 10): Role => {
    role = new Role({
      spec: {
        role: 'part',
        program,
        args,
        env: process.env,
        logFile: join(folder, 'part.log'),
        onMessage: () => undefined,
        now: Date.now,
      },
      restartAfterMs,
      restartAfterMsMax: 20,
      onDied: (_child, exit) => deaths.push(exit.how),
      onNote: (text) => notes.push(text),
    })
    return role
  }

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'segue-role-'))
    notes = []
    deaths = []
  })

  afterEach(async () => {
    await role.stop()
    await rm(folder, { recursive: true })
  })

  it('is filled again when its process dies', async () => {
    const before = fill(['serve']).child
    await before.ready
    before.kill('SIGKILL')
    await waitFor(() => role.child.pid !== before.pid && role.ready !== null)
    expect(deaths).toEqual(['SIGKILL'])
    expect(notes).toEqual(['part ended (SIGKILL); it is started again in 0.0 s', 'part runs again'])
  })

  it('stays empty when that is wanted', async () => {
    const before = fill(['serve'], null).child
    await before.ready
    before.kill('SIGKILL')
    await waitFor(() => deaths.length > 0)
    expect(notes).toEqual(['part ended (SIGKILL)'])
  })

  it('is not filled again when its first process could not even begin', async () => {
    await expect(fill(['break', 'no luck']).child.ready).rejects.toThrow('no luck')
    expect({ deaths, notes }).toEqual({ deaths: ['exit code 3'], notes: [] })
  })

  it('is given up when its processes keep ending', async () => {
    fill(['falter'])
    await waitFor(() => notes.some((note) => note.includes('not started again')), { timeoutMs: 15_000 })
    expect(deaths).toHaveLength(11)
  })

  it('is filled anew on request, at once', async () => {
    const before = fill(['serve'], 60_000).child
    await before.ready
    const ready = await role.restart()
    expect(ready.bootId).toBe(`boot-${role.child.pid}`)
    expect(role.child.pid).not.toBe(before.pid)
  })

  it('stays empty when it is to be filled anew while it is being stopped', async () => {
    await fill(['serve']).child.ready
    const [restarted, stopped] = await Promise.allSettled([role.restart(), role.stop()])
    expect(stopped.status).toBe('fulfilled')
    expect(() => process.kill(role.child.pid, 0)).toThrow('ESRCH')
    expect(restarted).toMatchObject({
      status: 'rejected',
      reason: { message: 'part is stopped: it is not started again' },
    })
  })

  it('is not filled anew after it was stopped', async () => {
    await fill(['serve']).child.ready
    await role.stop()
    await expect(role.restart()).rejects.toThrow('part is stopped')
  })
})
