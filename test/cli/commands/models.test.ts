import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { failingFleet, writeFleet } from '../../support/failingFleet.js'
import { logFileOf, type LogFile } from '../../support/logFile.js'

let log: LogFile
beforeAll(async () => {
  log = await logFileOf((store) => writeFleet(store, failingFleet({ servers: 3, lives: 5, samples: 90 })))
})
afterAll(() => log.remove())

const told = async (...argv: ReadonlyArray<string>): Promise<string> => {
  const { status, stdout, stderr } = await log.run(...argv)
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  return stdout
}

describe('segue train, segue models', () => {
  it('trains on a log, records what the rules decide, and keeps the model beside the log', async () => {
    expect(await told('models', 'list')).toBe('no model was recorded yet\n')
    const trained = JSON.parse(await told('train', '--from-log', '--record', '--json')) as {
      readonly artifact: string
      readonly model: string
      readonly decisions: ReadonlyArray<{ readonly type: string }>
    }
    expect(trained.model).toMatch(/^log-20260301T\d{6}$/)
    expect(trained.decisions.map(({ type }) => type)).toEqual(['ModelRejected'])
    expect(await readdir(join(log.data, 'models'))).toEqual([`${trained.artifact}.bin`])
    const short = trained.artifact.slice(0, 8)
    expect(await told('models', 'list')).toMatch(
      new RegExp(`^SHA-256 .*\\n${short} +${trained.model} +rejected +operator .*not shown to be better on later data`),
    )
    const shown = await told('models', 'show', short)
    expect(shown).toMatch(/compared {2}recall 100 % against \d+ %, gain .* points of 5 incidents\n/)
    expect(shown).toMatch(/weights of the score\n {2}forecast +40\.0 %\n/)
    expect(shown).toMatch(/features by importance\n {2}\S+ +\d+\.\d %\n/)
  })

  it('writes a card of the model, measured on what came after its training data', async () => {
    const [, short = ''] = /^([0-9a-f]{8}) +log-/m.exec(await told('models', 'list')) ?? []
    const file = join(log.folder, 'card.html')
    expect(await told('models', 'card', short, '--out', file)).toBe(`${file}\n`)
    const card = await readFile(file, 'utf8')
    expect(card.match(/<h2>[^<]*/g)?.map((title) => title.slice(4))).toEqual([
      ...['What it found', 'Precision and recall', 'Lead time', 'Calibration', 'What it looks at'],
      ...['Weights of the stability score', 'Limits'],
    ])
    expect(card.match(/<svg /g)).toHaveLength(5)
    expect(card).toMatch(
      /5 incidents \(\d clusters\) in 0\.\d server-days of 3 servers: what the log holds after its training/,
    )
    // It needs nothing else, and nothing of it is left undrawn.
    expect(card).not.toMatch(/NaN|undefined|<script|src=|href=/)
  })

  it('cannot write a card to a place that is not there', async () => {
    const file = join(log.folder, 'none', 'card.html')
    const [, short = ''] = /^([0-9a-f]{8}) +log-/m.exec(await told('models', 'list')) ?? []
    expect(await log.run('models', 'card', short, '--out', file)).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/^segue models: --out .* cannot be written \(ENOENT.*\): give another place\n$/),
    })
  })

  it.each([
    [['train'], 'segue train: say what to learn from: --from-log\n', 2],
    [
      ['train', '--from-log', '--budget', '0'],
      "segue train: option '--budget <number>' argument '0' is invalid. Give a number from 0.01 to 1000; see \"segue train --help\"\n",
      2,
    ],
    [
      ['train', '--from-log', '--record', '--control', 'http://127.0.0.1:1'],
      'segue train: --record and --control exclude each other: a control plane records by itself\n',
      2,
    ],
    [
      ['train', '--from-log', '--store', '/nowhere/events.sqlite'],
      'segue train: there is no event log at /nowhere/events.sqlite; check the path\n',
      1,
    ],
  ])('refuses %j', async (argv, stderr, status) => {
    expect(await log.run(...argv)).toEqual({ status, stdout: '', stderr })
  })

  it('says which models there are, where another is named', async () => {
    const { status, stderr } = await log.run('models', 'show', 'ffff')
    expect([status, stderr]).toEqual([2, expect.stringMatching(/there is no model "ffff": known are log-/)])
  })
})

describe('segue score', () => {
  it('tells score, threshold and risk of a server, and with --explain what they are made of', async () => {
    expect(await told('score', 's1')).toMatch(
      /^s1: score \d+\.\d \(\w+\), threshold 60, risk \d+\.\d %, at 2026-03-01 01:\d\d:\d\d UTC\n$/,
    )
    const explained = await told('score', 's1', '--explain', '--at', '2026-03-01T10:00:00Z')
    expect(explained).toMatch(/model {6}prior-3 \([0-9a-f]{8}\): risk \d+\.\d %; it leaves \d+ % of the score/)
    expect(explained).toMatch(/threshold {2}60 \(the policy says 60\): it is the policy: nothing has moved it/)
    expect(explained).toMatch(/GROUP +WEIGHT +HEALTH +POINTS OFF\n\w+ +0\.\d{3} +\d\.\d\d +\d+\.\d/)
    expect(explained).toMatch(/FEATURE +LOGITS\n\S+ +[+-]\d+\.\d\d/)
  })

  it('adds up: what the groups took off is what is lacking of 100', async () => {
    const { score, groups } = JSON.parse(await told('score', 's1', '--json')) as {
      readonly score: number
      readonly groups: ReadonlyArray<{ readonly points: number }>
    }
    expect(100 - groups.reduce((sum, { points }) => sum + points, 0)).toBeCloseTo(score, 0)
  })

  it.each([
    [['score', 's9'], 'segue score: no server s9 has joined in this log (until then)\n'],
    [['score', 's1', '--at', '2020-01-01'], 'segue score: no server s1 has joined in this log (until then)\n'],
  ])('refuses %j', async (argv, stderr) => {
    expect(await log.run(...argv)).toEqual({ status: 2, stdout: '', stderr })
  })
})
