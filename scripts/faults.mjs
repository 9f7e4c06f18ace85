// Real faults in a real fleet: each cell of the matrix kills, suspends, cuts off or starves something at a chosen moment
// of a handover, and says what became of the viewer, the log and the fleet.
//   npm run faults                                   all cells, and their rows in docs/reliability.md
//   npm run faults -- --list                         their names
//   npm run faults -- --case NAME[,NAME] [--json]    only these; --json prints one object for each and writes no table
//   npm run faults -- --group NAME                   only those of a group
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { Command, Option } from 'commander'

const { cells } = await import('../test/faults/cells.mjs')
const { runCells } = await import('../test/faults/run.mjs')
const { rowOf, writeTable } = await import('../test/faults/table.mjs')
const values = new Command('npm run faults --')
  .description('Breaks a real fleet at chosen moments of a handover, cell by cell, and says what became of it.')
  .option('--case <names>', 'only these cells, separated by commas')
  .addOption(
    new Option('--group <name>', 'only those of a group').choices([...new Set(cells.map(({ group }) => group))]),
  )
  .option('--json', 'print one object for each cell, and write no table')
  .option('--list', 'print the names of the cells')
  .allowExcessArguments(false)
  .parse()
  .opts()

const document = fileURLToPath(new URL('../docs/reliability.md', import.meta.url))

process.exitCode = await main()

async function main() {
  if (values.list) {
    for (const { name, group, what, when } of cells)
      console.log(`${name.padEnd(26)} ${group.padEnd(10)} ${what}, ${when}`)
    return 0
  }
  const chosen = choose()
  if (chosen === null) return 2
  const own = chosen.filter(({ ownNetwork }) => !ownNetwork || isInOwnNetwork())
  const results = own.length === 0 ? [] : await runCells(own, { note, onResult: show })
  // Links and addresses for the others vanish with the network namespace of their process.
  const apart = chosen.filter((cell) => !own.includes(cell))
  if (apart.length > 0) results.push(...(await runInOwnNetwork(apart)))
  if (!values.json && !isInOwnNetwork())
    await writeTable(
      document,
      cells.map(({ name }) => name),
      results,
    )
  const failed = results.filter(({ held, skipped }) => !held && !skipped)
  const skipped = results.filter((result) => result.skipped)
  note(`${results.length - failed.length - skipped.length} held, ${failed.length} failed, ${skipped.length} skipped`)
  return failed.length === 0 ? 0 : 1
}

function choose() {
  const names = values.case?.split(',') ?? cells.map(({ name }) => name)
  const unknown = names.find((name) => !cells.some((cell) => cell.name === name))
  if (unknown !== undefined) {
    note(`there is no cell ${unknown}; --list names them`)
    return null
  }
  return cells.filter(
    ({ name, group }) => names.includes(name) && (values.group === undefined || values.group === group),
  )
}

function note(text) {
  console.error(text)
}

function show(result) {
  if (values.json) console.log(JSON.stringify(result))
  else if (result.skipped) note(`SKIPPED ${result.cell}: ${result.skipped}`)
  else console.log(rowOf(result))
}

function isInOwnNetwork() {
  return process.env.SEGUE_FAULTS_NETWORK === 'own'
}

async function runInOwnNetwork(apart) {
  const { networkObstacle } = await import('../test/faults/network.mjs')
  const obstacle = networkObstacle()
  if (obstacle !== null) {
    const skipped = apart.map(({ name: cell }) => ({ cell, skipped: obstacle }))
    for (const result of skipped) show(result)
    return skipped
  }
  const self = fileURLToPath(import.meta.url)
  const args = ['--net', process.execPath, self, '--json', '--case', apart.map(({ name }) => name).join(',')]
  const child = spawn('unshare', args, {
    env: { ...process.env, SEGUE_FAULTS_NETWORK: 'own' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const pass = (signal) => child.kill(signal)
  process.once('SIGINT', pass)
  process.once('SIGTERM', pass)
  let text = ''
  for await (const chunk of child.stdout) text += chunk
  const results = text
    .trim()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line))
  for (const result of results) show(result)
  return results
}
