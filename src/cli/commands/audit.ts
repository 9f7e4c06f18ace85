import { readFile, writeFile } from 'node:fs/promises'
import { Command } from 'commander'
import * as E from 'fp-ts/lib/Either.js'
import { Signed } from '../../events/integrity/index.js'
import { describeConnection, type StoreConnection } from '../../events/stores/index.js'
import { renderDossier, verifyDossier, type DossierVerdict } from '../../projections/index.js'
import { auditStore, dossierOf, trustedKeys } from '../../runtime/logs/audit.js'
import { auditLines } from '../auditLines.js'
import type { CommandContext } from '../context.js'
import { flag, repeatable } from '../flags.js'
import { addLogFlags, logOf } from '../log.js'
import { statusFailed, statusOk, UsageError } from '../usage.js'

interface AuditFlags {
  readonly key?: ReadonlyArray<string>
  readonly keys?: string
  readonly anchor?: ReadonlyArray<string>
  readonly handover?: string
  readonly out?: string
  readonly json?: boolean
}

const examples = `
Ends with status 1 when anything is wrong, and names the first bad stream and event.

Examples:
  segue audit
  segue audit --data /var/lib/segue --key segue-ledger.pem
  segue audit --json > audit.json                    keep it elsewhere: it holds the last checkpoint
  segue audit --anchor audit.json                    the log must still hold that checkpoint
  segue audit --handover main-h1 --out main-h1.html  a dossier of one handover, to take away
  segue audit verify main-h1.html --key segue-ledger.pem`

export function auditCommand(context: CommandContext): Command {
  const command = new Command('audit').description(
    'Check a whole log: hash chains, signatures, and what must always hold.',
  )
  return addLogFlags(command)
    .addOption(repeatable('--key <file>', 'public key to trust, PEM; may be repeated'))
    .addOption(flag('--keys <dir>', 'folder of keys to trust (default: keys beside the file of the log)'))
    .addOption(repeatable('--anchor <file>', 'result of an earlier audit, with --json; may be repeated'))
    .addOption(flag('--handover <id>', 'write a dossier of this handover instead, to --out'))
    .addOption(flag('--out <file>', 'the dossier: .html to read, or .json'))
    .addOption(flag('--json', 'print the result as one JSON object'))
    .addHelpText('after', examples)
    .addCommand(verifyCommand(context))
    .action(async (flags: AuditFlags, self: Command) => {
      const { key = [], keys, anchor = [], json = false, handover, out } = flags
      const log = await logOf(self, context.env)
      if (handover !== undefined) return writeDossier(context, log, handover, out)
      if (out !== undefined) throw new UsageError('--out goes with --handover: say which one')
      const trusted = await trustedKeys({ keyFiles: key, log, ...(keys === undefined ? {} : { keysDir: keys }) })
      const result = await auditStore({ log, trusted, anchors: await Promise.all(anchor.map(readAnchor)) })
      const where = describeConnection(log)
      const lines = json ? [JSON.stringify({ store: where, ...result })] : auditLines(where, result)
      for (const line of lines) context.stdout.write(`${line}\n`)
      context.done(result.sound ? statusOk : statusFailed)
    })
}

async function writeDossier(
  { stdout, done }: CommandContext,
  log: StoreConnection,
  handover: string,
  out: string | undefined,
): Promise<void> {
  const isPage = out?.endsWith('.html') === true
  if (out === undefined || !(isPage || out.endsWith('.json'))) {
    throw new UsageError('--handover needs --out FILE.html or --out FILE.json')
  }
  const file = await dossierOf(log, handover)
  await writeFile(out, isPage ? renderDossier(file) : `${JSON.stringify(file)}\n`)
  const events = file.proof.parts.reduce((sum, part) => sum + part.events.length, 0)
  stdout.write(`${out}: handover ${handover} with ${events} events and their proof\n`)
  done(statusOk)
}

interface VerifyFlags {
  readonly key?: ReadonlyArray<string>
  readonly keys?: string
  readonly json?: boolean
}

function verifyCommand({ stdout, done }: CommandContext): Command {
  return new Command('verify')
    .description('Check a dossier with the public key alone, without the log.')
    .argument('<file>', 'what "segue audit --handover" has written')
    .addOption(repeatable('--key <file>', 'public key to trust, PEM; may be repeated'))
    .addOption(flag('--keys <dir>', 'folder of keys to trust'))
    .addOption(flag('--json', 'print the verdict as one JSON object'))
    .action(async (path: string, _flags: VerifyFlags, self: Command) => {
      // The flags of "segue audit" have the same names, and take what stands before the file.
      const { key = [], keys, json = false } = self.optsWithGlobals<VerifyFlags>()
      const trusted = await trustedKeys({ keyFiles: key, ...(keys === undefined ? {} : { keysDir: keys }) })
      if (trusted.length === 0) throw new UsageError('say whom to trust: --key PUBLIC.pem or --keys DIR')
      const text = await readFile(path, 'utf8').catch((error: unknown) => {
        throw new UsageError(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
      })
      const verdict = verifyDossier(text, trusted)
      const lines = json ? [JSON.stringify(verdict)] : verdictLines(path, verdict)
      for (const line of lines) stdout.write(`${line}\n`)
      done(verdict.sound ? statusOk : statusFailed)
    })
}

function verdictLines(
  path: string,
  { sound, handover, key, checkpointAt, events, problems }: DossierVerdict,
): string[] {
  if (!sound) return [`${path}: not sound`, ...problems.map((problem) => `  ✘ ${problem}`)]
  const at = checkpointAt === null ? '' : ` of ${new Date(checkpointAt).toISOString()}`
  return [
    `${path}: handover ${handover}`,
    `  ✔ ${events} events lead to the root of the checkpoint${at}, signed by key ${key ?? ''}`,
    '  ✔ everything in the file follows from them',
  ]
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
