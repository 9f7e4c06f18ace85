import { readFile } from 'node:fs/promises'
import { Command } from 'commander'
import * as E from 'fp-ts/lib/Either.js'
import { Signed } from '../../events/integrity/index.js'
import { describeConnection } from '../../events/stores/index.js'
import { auditStore, trustedKeys } from '../../runtime/process/index.js'
import { auditLines } from '../auditLines.js'
import type { CommandContext } from '../context.js'
import { flag, repeatable } from '../flags.js'
import { addLogFlags, logOf } from '../log.js'
import { statusFailed, statusOk, UsageError } from '../usage.js'

interface AuditFlags {
  readonly key?: ReadonlyArray<string>
  readonly keys?: string
  readonly anchor?: ReadonlyArray<string>
  readonly json?: boolean
}

const examples = `
Ends with status 1 when anything is wrong, and names the first bad stream and event.

Examples:
  segue audit
  segue audit --data /var/lib/segue --key segue-ledger.pem
  segue audit --json > audit.json                    keep it elsewhere: it holds the last checkpoint
  segue audit --anchor audit.json                    the log must still hold that checkpoint`

export function auditCommand(context: CommandContext): Command {
  const command = new Command('audit').description(
    'Check a whole log: hash chains, signatures, and what must always hold.',
  )
  return addLogFlags(command)
    .addOption(repeatable('--key <file>', 'public key to trust, PEM; may be repeated'))
    .addOption(flag('--keys <dir>', 'folder of keys to trust (default: keys beside the file of the log)'))
    .addOption(repeatable('--anchor <file>', 'result of an earlier audit, with --json; may be repeated'))
    .addOption(flag('--json', 'print the result as one JSON object'))
    .addHelpText('after', examples)
    .action(async ({ key = [], keys, anchor = [], json = false }: AuditFlags, self: Command) => {
      const log = await logOf(self, context.env)
      const trusted = await trustedKeys({ keyFiles: key, log, ...(keys === undefined ? {} : { keysDir: keys }) })
      const result = await auditStore({ log, trusted, anchors: await Promise.all(anchor.map(readAnchor)) })
      const where = describeConnection(log)
      const lines = json ? [JSON.stringify({ store: where, ...result })] : auditLines(where, result)
      for (const line of lines) context.stdout.write(`${line}\n`)
      context.done(result.sound ? statusOk : statusFailed)
    })
}

/** The last checkpoint of an earlier audit. @throws UsageError */
async function readAnchor(path: string): Promise<Signed> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new UsageError(`--anchor ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  })
  const hint = `--anchor ${path} is no result of "segue audit --json" with a checkpoint`
  try {
    const { ledger } = JSON.parse(text) as { readonly ledger?: { readonly last?: { readonly signed?: unknown } } }
    const signed = Signed.decode(ledger?.last?.signed)
    if (E.isRight(signed)) return signed.right
  } catch {
    throw new UsageError(hint)
  }
  throw new UsageError(hint)
}
