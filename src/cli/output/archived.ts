import type { ArchivedBeginning } from '../../events/stores/archive/index.js'
import type { CommandContext } from '../context.js'

/** Says on standard error, in one line, that a log is not all there is. */
export function noteArchived(
  { stderr }: Pick<CommandContext, 'stderr'>,
  beginnings: ReadonlyArray<ArchivedBeginning>,
): void {
  if (beginnings.length === 0) return
  const until = new Date(Math.max(...beginnings.map((each) => each.until))).toISOString()
  const streams = `${beginnings.length} ${beginnings.length === 1 ? 'stream' : 'streams'} of media servers`
  stderr.write(`${streams} begin later in this log: events up to ${until} are archived; --archive DIR adds them\n`)
}
