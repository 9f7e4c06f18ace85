// A long run of a real fleet: a handover every 20 s, most of them with a fault at one of its steps. Says what the viewer
// lived through, and whether memory and open handles of every process stayed flat.
//   npm run soak -- --minutes 30 [--every 20] [--seed 1] [--out FILE.json]
import { writeFile } from 'node:fs/promises'
import { Command } from 'commander'
import { runSoak } from '../test/faults/soak.mjs'
import { numberOption } from './commandLine.mjs'

const values = new Command('npm run soak --')
  .description('Plays a real fleet for long, with handovers and faults, and says whether it stayed flat.')
  .option('--minutes <number>', 'how long', numberOption({ above: 0 }), 30)
  .option('--every <seconds>', 'seconds from one handover to the next', numberOption({ above: 0 }), 20)
  .option('--seed <number>', 'which faults befall which steps', numberOption({ least: 0, whole: true }), 1)
  .option('--out <file>', 'write everything that was measured as JSON')
  .allowExcessArguments(false)
  .parse()
  .opts()

const result = await runSoak({
  minutes: values.minutes,
  everyMs: values.every * 1000,
  seed: values.seed,
  note: (text) => console.error(text),
})
if (values.out !== undefined) await writeFile(values.out, `${JSON.stringify(result, null, 2)}\n`)

const { rounds, totals, trends, findings, lost, doubled } = result
const fixed = (number, digits = 1) => number.toFixed(digits)
console.log(
  `${rounds.length} handovers, ${rounds.filter(({ cell }) => cell !== 'undisturbed').length} of them with a fault`,
)
console.log(`viewer: ${JSON.stringify(totals)}`)
console.log(`acknowledged events lost ${lost}, doubled ${doubled}`)
console.log('')
console.log('| process | life min | memory MB | growth % | MB/h | handles | growth % |')
console.log('| --- | --- | --- | --- | --- | --- | --- |')
for (const { role, minutes, memory, handles } of trends) {
  const cells = [role, fixed(minutes), fixed(memory.mean), fixed(memory.percent), fixed(memory.perHour)]
  console.log(`| ${[...cells, fixed(handles.mean), fixed(handles.percent)].join(' | ')} |`)
}
console.log('')
for (const finding of findings) console.log(`- ${finding}`)
console.log(findings.length === 0 ? 'all held' : `${findings.length} finding(s)`)
process.exit(findings.length === 0 ? 0 : 1)
