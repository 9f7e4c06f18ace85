import type { StreamFormat } from '../../events/index.js'
import type { Route } from '../../messaging/index.js'
import { msOfTicks } from '../format.js'
import { audioBitsPerS, videoBitsPerS } from './bandwidth.js'
import { soundsOf, type VariantFacts } from './playlists.js'

const escape = (text: string): string =>
  text.replace(/[&<>"]/g, (char) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[char] ?? '&quot;')

const attributes = (values: Readonly<Record<string, string | number>>): string =>
  Object.entries(values)
    .map(([name, value]) => ` ${name}="${escape(String(value))}"`)
    .join('')

/** How far ordinary players stay behind the newest segment. */
const presentationDelayS = 1.5
/** How long media stays available at least: what a server keeps. */
const timeShiftS = 8

export interface PresentationOptions {
  /** With content steering (ETSI TS 103 998), for players that choose their server themselves. Default true. */
  readonly steered?: boolean
  /**
   * For readers that count numbers in 32 bits and take decode times as they are (ffmpeg): numbers count from the last whole
   * billion up to this one, which stands in the addresses as text. Default null: as everybody else reads it.
   */
  readonly shortAt?: number | null
}

const role = { schemeIdUri: 'urn:mpeg:dash:role:2011' }

/** More than what a 32 bit number holds is written in front of it. */
const billion = 1e9

/** Where numbers begin to count, and how one is written in an address. */
const numberingFrom = (shortAt: number | null, { segmentTicks }: StreamFormat) => {
  if (shortAt === null) return { startedAt: '1970-01-01T00:00:00Z', number: '$Number$' }
  const billions = Math.floor(shortAt / billion)
  const startedAtMs = Math.round(msOfTicks(billions * billion * segmentTicks))
  return { startedAt: new Date(startedAtMs).toISOString(), number: `${billions}$Number%09d$` }
}

/**
 * MPD (ISO/IEC 23009-1, live profile) of a stream. Numbers count from the unix epoch, so it stays as it is while the
 * stream runs; only the servers change. The same on every server that knows the route.
 */
export function mediaPresentation(
  stream: string,
  format: StreamFormat,
  variants: ReadonlyArray<VariantFacts>,
  route: Route | null,
  { steered = true, shortAt = null }: PresentationOptions = {},
): string {
  const { startedAt, number } = numberingFrom(shortAt, format)
  const servers = route === null ? [] : [route.primary, ...(route.standby === null ? [] : [route.standby])]
  const { num, den } = format.frameRate
  const template = (path: string): string =>
    `<SegmentTemplate${attributes({
      timescale: 90_000,
      duration: format.segmentTicks,
      startNumber: 0,
      initialization: `${path}/init.mp4`,
      media: `${path}/${number}.m4s`,
    })}/>`
  const [first] = variants
  const videos = variants.map(
    ({ id, path, codecs, width, height }) =>
      `      <Representation${attributes({
        ...{ id, codecs: codecs.video, width, height, frameRate: den === 1 ? num : `${num}/${den}` },
        bandwidth: videoBitsPerS(format, width, height),
      })}>${template(path)}</Representation>`,
  )
  const root = {
    xmlns: 'urn:mpeg:dash:schema:mpd:2011',
    profiles: 'urn:mpeg:dash:profile:isoff-live:2011',
    type: 'dynamic',
    availabilityStartTime: startedAt,
    minimumUpdatePeriod: 'PT5S',
    minBufferTime: 'PT1S',
    suggestedPresentationDelay: `PT${presentationDelayS}S`,
    timeShiftBufferDepth: `PT${timeShiftS}S`,
  }
  const folderAt = (server: Route['primary']): string => `${server.url.replace(/\/$/, '')}/streams/${stream}/`
  const steeringTerms = { defaultServiceLocation: servers[0]?.id ?? '', queryBeforeStart: 'false' }
  // As in steering.ts: the standby is the one that will be there.
  const steering = steered ? servers.slice(-1).map(folderAt) : []
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<MPD${attributes(root)}>`,
    ...servers.map(
      (server) => `  <BaseURL serviceLocation="${escape(server.id)}">${escape(folderAt(server))}</BaseURL>`,
    ),
    ...steering.map(
      (folder) =>
        `  <ContentSteering${attributes(steeringTerms)}>${escape(`${folder}steering.json`)}</ContentSteering>`,
    ),
    ...servers.map(
      (server) =>
        `  <UTCTiming${attributes({ schemeIdUri: 'urn:mpeg:dash:utc:http-xsdate:2014', value: `${folderAt(server)}time` })}/>`,
    ),
    '  <Period id="0" start="PT0S">',
    `    <AdaptationSet${attributes({ id: 0, contentType: 'video', mimeType: 'video/mp4', segmentAlignment: 'true', startWithSAP: 1 })}>`,
    ...videos,
    '    </AdaptationSet>',
    ...soundsOf(format).flatMap(({ id, path, name, language }, index) => [
      `    <AdaptationSet${attributes({ id: index + 1, contentType: 'audio', mimeType: 'audio/mp4', segmentAlignment: 'true', startWithSAP: 1, lang: language ?? 'und' })}>`,
      ...(language === null ? [] : [`      <Label>${escape(name)}</Label>`]),
      ...(language === null
        ? []
        : [`      <Role${attributes({ ...role, value: index === 0 ? 'main' : 'alternate' })}/>`]),
      `      <Representation${attributes({
        ...{ id, codecs: first?.codecs.audio ?? 'mp4a.40.2', audioSamplingRate: format.sampleRate },
        bandwidth: audioBitsPerS,
      })}>${template(path)}</Representation>`,
      '    </AdaptationSet>',
    ]),
    '  </Period>',
    '</MPD>',
    '',
  ].join('\n')
}
