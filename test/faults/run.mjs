// Runs cells of the matrix, on as few fleets as will do, and judges each.
import { openSceneOf } from './scenes.mjs'
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
  const events = [...stage.log.events]
  const acknowledged = countAcknowledged(events, stage.confirmed)
  findings.push(
    ...acknowledged.findings,
    ...checkAuthority(events),
    ...checkEndings(events, cell.idleMs + 5_000),
    ...(await checkReplay(events)),
    ...checkKept(events, await stage.log.read()),
    ...(cell.check === undefined ? [] : await cell.check(stage, events.slice(firstEvent), struckAt)),
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
    recoveryMs: settledAt === null ? null : settledAt - struckAt,
    lost: acknowledged.lost,
    doubled: acknowledged.doubled,
    handovers: endingsOf(events.slice(firstEvent)),
    recovered: settledAt !== null,
    held: findings.length === 0,
    findings,
  }
}
