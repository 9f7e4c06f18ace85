import { setMaxListeners } from 'node:events'
import { exitSoon, isDebugging, isSupervised, lineLogger, tellParent, type Logger } from '../runtime/process/index.js'
import { systemErrorCode } from '../runtime/systemError.js'
import type { CommandContext } from './context.js'
import { buildProgram, isCommand, usageProblem } from './program.js'
import { statusFailed, statusOk, statusUsage } from './usage.js'

export type Surroundings = Pick<CommandContext, 'env' | 'stdout' | 'stderr'>

/** Runs `segue` with the arguments that follow its name. Resolves to the exit status; never rejects. */
export async function main(argv: ReadonlyArray<string>, surroundings: Surroundings = process): Promise<number> {
  const { env, stdout, stderr } = surroundings
  // Where nobody can be told any more (a full disk under the log, a closed terminal), work goes on all the same.
  if (surroundings === process) {
    // A viewer's session asks many servers at once, all with one signal: no leak, of which Node would warn from 11 on.
    setMaxListeners(100)
    process.stderr.on('error', () => undefined)
    process.stdout.on('error', onOutputError)
  }
  let status = statusOk
  const context: CommandContext = {
    ...{ env, stdout, stderr },
    logger: (part) => processLogger(part, surroundings),
    done: (result) => (status = result),
  }
  const [first = ''] = argv
  const name = isCommand(first) ? `segue ${first}` : 'segue'
  try {
    const program = await buildProgram(context, first)
    await program.parseAsync([...argv], { from: 'user' })
    return status
  } catch (error) {
    const problem = usageProblem(error, name)
    if (problem === null) return statusOk
    const message = problem ?? `${name}: ${error instanceof Error ? error.message : String(error)}`
    stderr.write(`${message}\n`)
    if (isDebugging(env) && error instanceof Error) stderr.write(`${error.stack}\n`)
    tellParent({ type: 'failed', code: problem === undefined ? null : 'usage', message })
    if (isSupervised()) process.disconnect()
    return problem === undefined ? statusFailed : statusUsage
  } finally {
    if (surroundings === process) exitSoon()
  }
}

/** A reader may go away (`segue audit | head`): what has been begun is done, and its status tells what was found. */
function onOutputError(error: Error): void {
  if (systemErrorCode(error) !== 'EPIPE') throw error
}

/** Lines on standard error; what a parent should know goes to it as well. */
function processLogger(part: string, { stderr }: Surroundings): Logger {
  return lineLogger({
    part,
    write: (line) => void stderr.write(line),
    onLine: (level, message) => {
      if (level !== 'info') tellParent({ type: 'log', level, message })
    },
  })
}
