// Runs cells of the matrix, on as few fleets as will do, and judges each.
import { obstacleOf, openSceneOf } from './scenes.mjs'
import { checkAuthority, checkEndings, checkKept, checkReplay, countAcknowledged, endingsOf } from './verdict.mjs'

const counted = ['gaps', 'duplicates', 'hashMismatches', 'stalls', 'stallMs']

/** Runs the cells in order; a fleet that a cell leaves in good order serves the next one of the same scene. */
export async function runCells(cells, { onResult, note = () => undefined }) {
  const results = []
  let stage = null
  let scene = null
  const leave = async () => {
    const open = stage
    stage = null
    if (open !== null) await open.close()
  }
  const onSignal = () => void leave().finally(() => process.exit(130))
  process.once('SIGINT', onSignal)
  process.once('SIGTERM', onSignal)
  try {
    for (const cell of cells) {
      const obstacle = obstacleOf(cell.stage)
      if (obstacle !== null) {
        await onResult({ cell: cell.name, skipped: obstacle })
        results.push({ cell: cell.name, skipped: obstacle })
        continue
      }
      if (stage === null || scene !== cell.stage) {
        await leave()
        scene = cell.stage
        note(`a fleet for the scene "${scene}" is started`)
        stage = await openSceneOf(scene)
      }
      const result = await runCell(stage, cell)
      results.push(result)
      await onResult(result)
      if (!result.recovered || !result.held) await leave()
    }
    return results
  } finally {
    await leave()
    process.off('SIGINT', onSignal)
    process.off('SIGTERM', onSignal)
  }
}

/** Plays one cell on a fleet in good order. */
export async function runCell(stage, cell) {
  const findings = []
  await stage.settled().catch((error) => findings.push(`before the fault: ${error.message}`))
  const before = stage.viewer.totals
  const firstEvent = stage.log.events.length
  let struckAt = Date.now()
  let settledAt = null
  try {
    struckAt = await cell.play(stage, cell)
    settledAt = await stage.settled(cell.settleMsMax)
    await stage.playOn()
  } catch (error) {
    findings.push(error.message)
  }
  const now = stage.viewer?.totals ?? before
  const viewer = Object.fromEntries(counted.map((key) => [key, Math.round(now[key] - before[key])]))
  const judged = await judgeLog(stage, cell.idleMs + 5_000, stage.judgedEvents ?? 0)
  stage.judgedEvents = stage.log.events.length
  const events = stage.log.events.slice(firstEvent)
  findings.push(
    ...judged.findings,
    ...(cell.check === undefined ? [] : await cell.check(stage, events, struckAt)),
    ...['gaps', 'duplicates', 'hashMismatches']
      .filter((key) => viewer[key] !== 0)
      .map((key) => `${viewer[key]} ${key}`),
    ...(viewer.stallMs > cell.allowedStallMs
      ? [`the viewer stood still for ${viewer.stallMs} ms; ${cell.allowedStallMs} ms are allowed`]
      : []),
  )
  return {
    cell: cell.name,
    group: cell.group,
    what: cell.what,
    when: cell.when,
    viewer,
    noticedMs: noticedAfter(events, struckAt),
    recoveryMs: settledAt === null ? null : settledAt - struckAt,
    lost: judged.lost,
    doubled: judged.doubled,
    handovers: endingsOf(events),
    recovered: settledAt !== null,
    held: findings.length === 0,
    findings,
  }
}

/** How long it took until a server counted as failed; null when none did. */
function noticedAfter(events, struckAt) {
  const failed = events.find(({ type, metadata }) => type === 'ServerFailed' && metadata.occurredAt >= struckAt)
  return failed === undefined ? null : failed.metadata.occurredAt - struckAt
}

/**
 * What must hold of the log as it stands, whatever has happened. Handovers are held to their time from event `first` on: what went
 * before was judged by what had happened then.
 */
export async function judgeLog(stage, idleMs, first = 0) {
  const events = [...stage.log.events]
  const { lost, doubled, findings } = countAcknowledged(events, stage.confirmed)
  return {
    lost,
    doubled,
    findings: [
      ...findings,
      ...checkAuthority(events),
      ...checkEndings(events.slice(first), idleMs),
      ...(await checkReplay(events)),
      ...checkKept(events, await stage.log.read()),
    ],
  }
}
