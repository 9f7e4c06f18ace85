import type { RecordedEvent } from '../../envelope.js'

/** Events that are handed on together, once it is known that nothing was cut while they were read. */
const eventsPerPage = 500

export interface UncutReading<Look, Options> {
  /** How the log stands now. */
  readonly look: () => Promise<Look>
  /** Whether nothing was cut since that look. */
  readonly isStill: (look: Look) => Promise<boolean>
  readonly read: (look: Look, options: Options) => AsyncIterable<RecordedEvent>
  /** What to read behind an event; null: there is nothing. */
  readonly behind: (options: Options, last: RecordedEvent) => Options | null
}

/** Reads a log of which what is cut off can be read elsewhere: when it is cut meanwhile, goes on with another look. */
export async function* readUncut<Look, Options extends { readonly limit?: number }>(
  { look, isStill, read, behind }: UncutReading<Look, Options>,
  options: Options,
): AsyncGenerator<RecordedEvent> {
  let rest: Options | null = options
  for (let isWhole = false; !isWhole && rest !== null;) {
    const present = await look()
    isWhole = true
    for await (const page of pagesOf(read(present, rest))) {
      if (!(await isStill(present))) {
        isWhole = false
        break
      }
      yield* page
      const last = page.at(-1)
      if (last === undefined || rest === null) continue
      const { limit }: Options = rest
      rest = behind(limit === undefined ? rest : { ...rest, limit: limit - page.length }, last)
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
