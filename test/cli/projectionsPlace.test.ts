import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CommandContext } from '../../src/cli/context.js'
import { controlCommand, controlOptionsOf, type ControlFlags } from '../../src/cli/commands/control.js'
import { addReadModelFlags, projectionsOf } from '../../src/cli/readModel.js'
import { Command } from 'commander'
import { logOf } from '../../src/cli/log.js'

const address = 'esdb://me:secret@store:2113?tls=false'
let home: string
let context: CommandContext
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'segue-place-'))
  context = {
    env: { XDG_DATA_HOME: home },
    stdout: { write: () => undefined },
    stderr: { write: () => undefined },
    logger: () => {
      throw new Error('nothing runs')
    },
    done: () => undefined,
  }
})
afterAll(() => rm(home, { recursive: true }))

function ofControlPlane(...args: ReadonlyArray<string>): string | undefined {
  const command = controlCommand(context)
  command.parseOptions([...args])
  return controlOptionsOf(command.opts<ControlFlags>(), context.env).projections
}

async function ofCommand(...args: ReadonlyArray<string>): Promise<string> {
  const command = addReadModelFlags(new Command('report'))
  command.parseOptions([...args])
  return projectionsOf(await logOf(command, context.env), command.opts<{ projections?: string }>(), context.env)
}

describe('control plane and commands look for the projections of a log at one place', () => {
  test.each([
    [['--eventstore', address]],
    [['--eventstore', 'sqlite:/var/lib/segue/events.sqlite']],
    [['--data', '/var/lib/segue']],
    [['--eventstore', address, '--projections', '/var/lib/segue/tables.sqlite']],
  ])('%j', async (args) => {
    expect(ofControlPlane(...args)).toBe(await ofCommand(...args))
  })

  test('which does not depend on where a control plane keeps its keys', () => {
    const [one, other] = ['/one', '/other'].map((data) => ofControlPlane('--eventstore', address, '--data', data))
    expect(one).toBe(other)
    expect(one?.startsWith(home)).toBe(true)
  })
})
