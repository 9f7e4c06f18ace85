import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import { StreamFormat } from '../media/format.js'
import { formatName, ingestError, type IngestError } from '../media/ingest/index.js'

const Info = t.type({ onAir: t.string, format: StreamFormat })

const timeoutMs = 700
const attemptsMax = 4

/**
 * Whether the partner has the stream on air. One that has not, but answers, may be about to: it is asked again after a
 * pause of random length, so that of two that start together one goes first.
 */
export async function askPartner(
  partnerUrl: string,
  stream: string,
  format: StreamFormat,
): Promise<E.Either<IngestError, 'onAir' | 'notOnAir'>> {
  for (let attempt = 1; attempt <= attemptsMax; attempt += 1) {
    const info = await infoOf(partnerUrl, stream)
    if (info === null) return E.right('notOnAir')
    if (info.onAir === 'source' || info.onAir === 'slate') {
      if (formatName(info.format) === formatName(format)) return E.right('onAir')
      const message = `the partner at ${partnerUrl} has ${stream} on air in another format: give both the same --fps, --segment, --height and --audio-tracks`
      return E.left(ingestError('BadState', message))
    }
    await new Promise((resolve) => setTimeout(resolve, 200 + Math.random() * 600))
  }
  return E.right('notOnAir')
}

const infoOf = async (partnerUrl: string, stream: string): Promise<t.TypeOf<typeof Info> | null> => {
  const url = `${partnerUrl.replace(/\/$/, '')}/feed/${encodeURIComponent(stream)}/info`
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) })
    const info = Info.decode(await answer.json())
    return E.isRight(info) ? info.right : null
  } catch {
    return null
  }
}
