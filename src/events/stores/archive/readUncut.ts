import type { RecordedEvent } from '../../envelope.js'
import type { ReadAllOptions } from '../../store.js'

/** Events that are handed on together, once it is known that nothing was cut while they were read. */
const eventsPerPage = 500

export interface UncutReading<Look> {
  /** How the log stands now. */
  readonly look: () => Promise<Look>
  /** Whether nothing was cut since that look. */
  readonly isStill: (look: Look) => Promise<boolean>
  readonly read: (look: Look, options: ReadAllOptions) => AsyncIterable<RecordedEvent>
}

/** Reads a log of which what is cut off can be read elsewhere: when it is cut meanwhile, goes on with another look. */
export async function* readUncut<Look>(
  { look, isStill, read }: UncutReading<Look>,
  options: ReadAllOptions = {},
): AsyncGenerator<RecordedEvent> {
  let rest = options
  for (let isWhole = false; !isWhole;) {
    const present = await look()
    isWhole = true
    for await (const page of pagesOf(read(present, rest))) {
      if (!(await isStill(present))) {
        isWhole = false
        break
      }
      yield* page
      const last = page.at(-1)
      if (last === undefined) continue
      const { limit } = rest
      rest = { ...rest, after: last.position, ...(limit === undefined ? {} : { limit: limit - page.length }) }
    }
  }
}

/** The last page may be empty: what was cut may have stood at the end. */
async function* pagesOf(events: AsyncIterable<RecordedEvent>): AsyncGenerator<ReadonlyArray<RecordedEvent>> {
  let page: RecordedEvent[] = []
  for await (const event of events) {
    page.push(event)
    if (page.length < eventsPerPage) continue
    yield page
    page = []
  }
  yield page
}
