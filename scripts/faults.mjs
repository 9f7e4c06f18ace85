// Real faults in a real fleet: each cell of the matrix kills, suspends, cuts off or starves something at a chosen moment
// of a handover, and says what the viewer, the log and the fleet made of it.
//   npm run faults                                all cells, and the table in docs/reliability.md
//   npm run faults -- --list                      their names
//   npm run faults -- --case NAME[,NAME] [--json] only these; JSON: one object a line, everything else on standard error
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: {
    case: { type: 'string' },
    group: { type: 'string' },
    json: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
  },
})
const { cells } = await import('../test/faults/cells.mjs')
if (values.list) {
  for (const { name, what, when } of cells) console.log(`${name.padEnd(24)} ${what}, ${when}`)
  process.exit(0)
}
const names = values.case?.split(',')
const chosen = cells.filter(
  ({ name, group }) =>
    (names === undefined || names.includes(name)) && (values.group === undefined || group === values.group),
)
const { runCells } = await import('../test/faults/run.mjs')
await runCells(chosen, {
  note: (text) => console.error(text),
  onResult: (result) => {
    console.log(JSON.stringify(result))
  },
})
process.exit(0)
