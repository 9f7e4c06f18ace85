import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Command } from 'commander'
import { defaultDataRoot } from '../../runtime/dataDirectory.js'
import { generateKey, keysIn, listKeys, rotateKey, type LedgerKeyInfo } from '../../runtime/ledger/index.js'
import type { CommandContext } from '../context.js'
import { flag } from '../flags.js'
import { statusFailed, statusOk, UsageError } from '../usage.js'

interface KeysFlags {
  readonly keys?: string
  readonly data?: string
  readonly json?: boolean
}

const examples = `
A control plane makes its first key by itself. Give the public key to auditors before they need it; whoever has it can
check a log, or a file that "segue audit --handover" has written, without trusting the machine that it comes from.

Examples:
  segue keys list --data /var/lib/segue
  segue keys show --data /var/lib/segue > segue-ledger.pem
  segue keys rotate --keys /etc/segue/keys`

export function keysCommand(context: CommandContext): Command {
  const { stdout, done, env } = context
  const folderOf = ({ keys, data }: KeysFlags): string =>
    keys ?? keysIn(data ?? join(defaultDataRoot({ env }), 'control'))
  const command = (name: string, description: string): Command =>
    new Command(name)
      .description(description)
      .addOption(flag('--keys <dir>', 'the folder of keys'))
      .addOption(flag('--data <dir>', 'data folder of the control plane, instead of --keys'))
  const print = (line: string): void => void stdout.write(`${line}\n`)

  const generate = command('generate', 'make the first key of a folder').action(async (flags: KeysFlags) => {
    const id = await generateKey(folderOf(flags), Date.now())
    print(`key ${id} in ${folderOf(flags)}`)
    done(statusOk)
  })

  const list = command('list', 'list the keys of a folder')
    .addOption(flag('--json', 'print them as one JSON array'))
    .action(async (flags: KeysFlags) => {
      const keys = await listKeys(folderOf(flags))
      if (flags.json === true) print(JSON.stringify(keys.map(describe)))
      else if (keys.length === 0) print(`no key in ${folderOf(flags)}`)
      else for (const line of table(keys)) print(line)
      done(keys.length > 0 ? statusOk : statusFailed)
    })

  const rotate = command('rotate', 'make a new key, vouched for by the old one, whose private part is removed').action(
    async (flags: KeysFlags) => {
      const { from, to } = await rotateKey(folderOf(flags), Date.now())
      print(`key ${to} signs from now on; ${from} has vouched for it and can no longer sign`)
      done(statusOk)
    },
  )

  const show = command('show', 'print a public key in PEM form')
    .argument('[id]', 'which one (default: the one that signs)')
    .action(async (id: string | undefined, flags: KeysFlags) => {
      const keys = await listKeys(folderOf(flags))
      const key = keys.find((each) => (id === undefined ? each.active : each.id === id))
      if (key === undefined) {
        throw new UsageError(`there is no ${id === undefined ? 'key' : `key ${id}`} in ${folderOf(flags)}`)
      }
      stdout.write(await readFile(key.publicPath, 'utf8'))
      done(statusOk)
    })

  const keys = new Command('keys')
    .description('Keys that sign the integrity ledger: generate, list, rotate, show.')
    .addHelpText('after', examples)
  for (const each of [generate, list, rotate, show]) keys.addCommand(each)
  return keys
}

const describe = ({ id, createdAt, active, endorsedBy, publicPath }: LedgerKeyInfo) => ({
  ...{ id, createdAt: new Date(createdAt).toISOString(), active, endorsedBy, publicPath },
})

function table(keys: ReadonlyArray<LedgerKeyInfo>): ReadonlyArray<string> {
  const rows = keys.map(({ id, createdAt, active, endorsedBy }) => [
    id,
    new Date(createdAt).toISOString(),
    active ? 'signs' : 'retired',
    endorsedBy === null ? '' : `vouched for by ${endorsedBy}`,
  ])
  return rows.map((row) => row.join('  ').trimEnd())
}
