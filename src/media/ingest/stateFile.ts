import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import { makeFolder } from '../../events/stores/folder.js'
import { msOfTicks, ticksOfMs, type MediaTicks } from '../format.js'
import { ingestError, type IngestError } from './errors.js'

const State = t.type({ version: t.literal(1), resumeFromTicks: t.number })

/** An interruption shorter than this is filled, so that no segment number is left out. */
const fillMsMax = 60_000
/** A feed may be ahead of the clock by its source's drift, not by this much. */
const aheadMsMax = 24 * 3_600_000

/** Remembers, in the data directory, up to where a stream's numbers have been given out. */
export interface StateFile {
  readonly save: (resumeFromTicks: MediaTicks) => void
  /** Where to continue; null when there is nothing to continue, or too long ago. */
  readonly load: (nowMs: number) => E.Either<IngestError, MediaTicks | null>
}

export const stateFile = (dataDir: string, stream: string): StateFile => {
  const path = join(dataDir, `ingest-${encodeURIComponent(stream)}.json`)
  const bad = (what: string): E.Either<IngestError, never> =>
    E.left(ingestError('BadState', `${path}: ${what}; delete the file to begin a new timeline`))
  let writtenLength = 0
  return {
    // Synchronous and before the frame that it speaks of: after a crash no number may be given to other pictures.
    save: (resumeFromTicks) => {
      const text = JSON.stringify({ version: 1, resumeFromTicks })
      if (text.length === writtenLength && overwrite(path, text)) return
      makeFolder(dataDir)
      writeFileSync(`${path}.new`, text)
      renameSync(`${path}.new`, path)
      writtenLength = text.length
    },
    load: (nowMs) => {
      let text: string
      try {
        text = readFileSync(path, 'utf8')
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException
        return code === 'ENOENT' ? E.right(null) : bad(`cannot be read (${String(error)})`)
      }
      let parsed: unknown
      try {
        parsed = JSON.parse(text)
      } catch {
        return bad('is not JSON')
      }
      const state = State.decode(parsed)
      if (E.isLeft(state) || !Number.isSafeInteger(state.right.resumeFromTicks)) return bad('is not an ingest state')
      const { resumeFromTicks } = state.right
      const aheadMs = msOfTicks(resumeFromTicks - ticksOfMs(nowMs))
      if (aheadMs > aheadMsMax) return bad(`is ${Math.round(aheadMs / 3_600_000)} hours ahead of the clock`)
      return E.right(aheadMs < -fillMsMax ? null : resumeFromTicks)
    },
  }
}

/** One write of a few bytes, several times a second: a quarter of what a new file costs. False when there is no file. */
function overwrite(path: string, text: string): boolean {
  try {
    writeFileSync(path, text, { flag: 'r+' })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}
