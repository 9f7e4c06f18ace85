import { execFileSync, spawnSync } from 'node:child_process'
import { createPublicKey } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildDossier, type DossierFile } from '../../src/projections/index.js'
import { ledgeredLog } from '../support/ledgeredLog.js'
import { describeUnless } from '../support/skip.js'

const tools = ['openssl', 'jq', 'xxd', 'sha256sum']
const missing = tools.filter((tool) => spawnSync(tool, ['--version']).error !== undefined)

/** The commands of docs/audit.md below "By hand", block by block. */
async function recipes(): Promise<ReadonlyArray<string>> {
  const text = await readFile(new URL('../../docs/audit.md', import.meta.url), 'utf8')
  const section = text.slice(text.indexOf('## By hand'))
  return [...section.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block = '']) => block)
}

describeUnless(
  missing.length > 0 && `not installed: ${missing.join(', ')}`,
  'a dossier checked by hand, as docs/audit.md tells',
  () => {
    let folder = ''
    let file: DossierFile
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'segue-by-hand-'))
      const log = await ledgeredLog('real-leak')
      const [privateKey] = log.trusted
      if (privateKey === undefined) throw new Error('the log has no key')
      file = await buildDossier(log.store, 'main-h1')
      await writeFile(join(folder, 'main-h1.json'), JSON.stringify(file))
      await writeFile(
        join(folder, 'segue-ledger.pem'),
        createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }),
      )
    })
    afterAll(() => rm(folder, { recursive: true }))

    const shell = (script: string, env: Readonly<Record<string, string>> = {}): string =>
      execFileSync('bash', ['-euc', script], { cwd: folder, env: { ...process.env, ...env }, encoding: 'utf8' })

    const line = (block: string, beginning: string): string => {
      const found = block.split('\n').find((each) => each.startsWith(beginning))
      if (found === undefined) throw new Error(`docs/audit.md has no line that begins with ${beginning}`)
      return found
    }
    const hashIn = (output: string): string => /^[0-9a-f]{64}/.exec(output)?.[0] ?? output

    it('has the signature that openssl verifies, and that no other statement has', async () => {
      const [signature = ''] = await recipes()
      expect(shell(signature)).toContain('Signature Verified Successfully')

      await writeFile(join(folder, 'statement'), `${await readFile(join(folder, 'statement'), 'utf8')} `)
      expect(() => shell(line(signature, 'openssl'))).toThrow()
    })

    it('leads from each event over chain and leaf to the signed root', async () => {
      const [, steps = ''] = await recipes()
      const { root, streams } = JSON.parse(file.proof.checkpoint.statement) as { root: string; streams: number }
      const [part] = file.proof.parts
      if (part === undefined) throw new Error('the dossier has no part')
      const link = line(steps, "printf '02")
      let chain = part.before
      for (const [index] of part.events.entries()) {
        const event = hashIn(shell(line(steps, 'jq -cSj').replace('.events[0]', `.events[${index}]`)))
        chain = hashIn(shell(link, { before: chain, event }))
        // Each is a process of its own: the first ones and the last show the way.
        if (index >= 3) break
      }
      expect(chain).toBe(await chainAfter(part, 4))

      const whole = await chainAfter(part, part.events.length + part.after.length)
      const revision = (part.events[0]?.revision ?? 0) + part.events.length + part.after.length - 1
      let hash = hashIn(
        shell(line(steps, "printf '\\x00"), { chain: whole, revision: String(revision), stream: part.stream }),
      )
      let [at, last] = [part.leaf, streams - 1]
      for (const sibling of part.path) {
        const isRight = at % 2 === 1 || at === last
        const [left, right] = isRight ? [sibling, hash] : [hash, sibling]
        hash = hashIn(shell(line(steps, "printf '01"), { left, right }))
        while (isRight && at % 2 === 0 && at !== 0) [at, last] = [Math.floor(at / 2), Math.floor(last / 2)]
        ;[at, last] = [Math.floor(at / 2), Math.floor(last / 2)]
      }
      expect(hash).toBe(root)
    })
  },
)

/** The chain's value behind so many of the events of a part, by the program. */
async function chainAfter(part: DossierFile['proof']['parts'][number], count: number): Promise<string> {
  const { chainLink, eventHash } = await import('../../src/events/integrity/index.js')
  let chain: Uint8Array = Buffer.from(part.before, 'hex')
  const hashes = [
    ...part.events.map((event) => eventHash({ ...event, streamId: part.stream })),
    ...part.after.map((hash) => Buffer.from(hash, 'hex')),
  ]
  for (const hash of hashes.slice(0, count)) chain = chainLink(chain, hash)
  return Buffer.from(chain).toString('hex')
}
