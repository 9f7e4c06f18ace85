/** Why ingest cannot begin. Once it has begun it goes on whatever the source does. */
export interface IngestError {
  readonly _tag:
    'BadSource' | 'SourceUnreadable' | 'FfmpegMissing' | 'FfmpegUnusable' | 'AddressInUse' | 'FeedInUse' | 'BadState'
  readonly message: string
  /** The last lines that ffmpeg wrote about it. */
  readonly detail: ReadonlyArray<string>
}

export const ingestError = (
  tag: IngestError['_tag'],
  message: string,
  detail: ReadonlyArray<string> = [],
): IngestError => ({ _tag: tag, message, detail })
