// A long run: a handover every few seconds, each with a random fault at a random step.
import { cells, hangMs } from './cells.mjs'
import { holdStoreThread } from './inflict.mjs'
import { openSceneOf } from './scenes.mjs'
import { watchUsage, trendOf } from './usage.mjs'
import { judgeLog } from './run.mjs'
import { pause } from './waiting.mjs'

const sampleEveryMs = 5_000
const settings = { warmUpMs: 3 * 60_000, lifeMsMin: 5 * 60_000 }
/** Of the handovers, the share without a fault, and of the faults the share that ends a process. */
const shares = { undisturbed: 0.2, killed: 0.15 }
/** The others are to live through the whole run, so that a leak shows: they hang, or lose a thread. */
const mayBeKilled = ['primary', 'standby', 'ingest', 'store']

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function randomFrom(seed) {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

function chooseCell(random) {
  if (random() < shares.undisturbed) return null
  const fate = random() < shares.killed ? 'kill' : 'hang'
  const able = cells.filter(
    (cell) => cell.group === 'processes' && cell.fate === fate && (fate === 'hang' || mayBeKilled.includes(cell.part)),
  )
  return able[Math.floor(random() * able.length)]
}

const undisturbed = {
  name: 'undisturbed',
  allowedStallMs: 0,
  play: async (stage) => {
    const ended = stage.log.next(
      ({ type }) => type === 'HandoverCompleted' || type === 'HandoverAborted',
      'end',
      60_000,
    )
    await stage.handOver()
    await ended
    return Date.now()
  },
}

export async function runSoak({ minutes, everyMs, seed, note }) {
  const random = randomFrom(seed)
  const stage = await openSceneOf('ordinary')
  const usage = watchUsage(stage.fleet, sampleEveryMs)
  const onSignal = () => {
    usage.stop()
    void stage.close().finally(() => process.exit(130))
  }
  process.once('SIGINT', onSignal)
  process.once('SIGTERM', onSignal)
  const rounds = []
  const findings = []
  const endsAtMs = performance.now() + minutes * 60_000
  try {
    // To reach the control plane's threads costs it six handles and some memory: before the warm-up, or it looks like a leak.
    ;(await holdStoreThread(stage)).release()
    for (
      let dueMs = performance.now();
      performance.now() < endsAtMs;
      dueMs = Math.max(dueMs + everyMs, performance.now())
    ) {
      await pause(dueMs - performance.now())
      const cell = chooseCell(random) ?? undisturbed
      const round = await playRound(stage, cell)
      rounds.push(round)
      note(`${rounds.length} ${round.cell}: stall ${round.stallMs} ms, gaps ${round.gaps}, ${round.problem ?? 'well'}`)
    }
    await stage.settled()
    await stage.playOn()
    const judged = await judgeLog(stage, hangMs + 5_000)
    findings.push(...judged.findings)
    const totals = stage.viewer.totals
    for (const key of ['gaps', 'duplicates', 'hashMismatches'])
      if (totals[key] > 0) findings.push(`${totals[key]} ${key}`)
    for (const { cell, problem } of rounds) if (problem !== null) findings.push(`${cell}: ${problem}`)
    const trends = usage.lives().flatMap((life) => trendOf(life, settings) ?? [])
    return { seed, minutes, rounds, totals, lost: judged.lost, doubled: judged.doubled, trends, findings }
  } finally {
    usage.stop()
    await stage.close()
    process.off('SIGINT', onSignal)
    process.off('SIGTERM', onSignal)
  }
}

/** One handover with its fault. Its stall counts against what is allowed for this fault. */
async function playRound(stage, cell) {
  const before = stage.viewer.totals
  let problem = null
  try {
    await cell.play(stage, cell)
    await stage.settled()
    await stage.playOn()
  } catch (error) {
    problem = error.message
  }
  const now = stage.viewer.totals
  const stallMs = Math.round(now.stallMs - before.stallMs)
  if (problem === null && stallMs > cell.allowedStallMs)
    problem = `stood still for ${stallMs} ms; ${cell.allowedStallMs} ms are allowed`
  return { cell: cell.name, stallMs, gaps: now.gaps - before.gaps, problem }
}
