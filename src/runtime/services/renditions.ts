import { isRight } from 'fp-ts/lib/Either.js'
import { sessionUrls } from '../../client/bootstrap.js'
import { SessionDocument } from '../../messaging/index.js'

/** Nobody could tell which renditions a stream has. */
export class RenditionsUnknown extends Error {
  readonly _tag = 'RenditionsUnknown'
}

const lookMs = 30_000
const pauseMs = 250

/**
 * Tracks of the pictures of a stream, largest first, from the first session document that comes.
 * @param from media servers or the control plane
 * @throws RenditionsUnknown when none has come after half a minute
 */
export async function findRenditions(stream: string, from: ReadonlyArray<string>): Promise<ReadonlyArray<string>> {
  const urls = from.flatMap((each) => sessionUrls(each, stream))
  const endsAtMs = performance.now() + lookMs
  for (;;) {
    for (const url of urls) {
      const found = await fetchRenditions(url)
      if (found !== null) return found
    }
    if (performance.now() > endsAtMs) {
      throw new RenditionsUnknown(
        `nobody could tell the renditions of stream ${stream}: check the addresses (${from.join(', ')})`,
      )
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }
}

async function fetchRenditions(url: string): Promise<ReadonlyArray<string> | null> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(1_000) })
    const document = SessionDocument.decode(await answer.json())
    return isRight(document) ? ['video', ...document.right.format.renditions.map(({ id }) => id)] : null
  } catch {
    return null
  }
}
