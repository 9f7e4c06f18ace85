import type { StreamFormat } from '../../events/index.js'
import type { Route } from '../../messaging/index.js'
import { audioBitsPerS, videoBitsPerS } from './bandwidth.js'
import type { VariantFacts } from './playlists.js'

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

/**
 * MPD (ISO/IEC 23009-1, live profile) of a stream. Numbers count from the unix epoch, so it stays as it is while the
 * stream runs; only the servers change. The same on every server that knows the route.
 * @param steered with content steering (ETSI TS 103 998), for players that choose their server themselves
 */
export function mediaPresentation(
  stream: string,
  format: StreamFormat,
  variants: ReadonlyArray<VariantFacts>,
  route: Route | null,
  steered = true,
): string {
  const servers = route === null ? [] : [route.primary, ...(route.standby === null ? [] : [route.standby])]
  const { num, den } = format.frameRate
  const template = (path: string): string =>
    `<SegmentTemplate${attributes({
      timescale: 90_000,
      duration: format.segmentTicks,
      startNumber: 0,
      initialization: `${path}/init.mp4`,
      media: `${path}/$Number$.m4s`,
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
    availabilityStartTime: '1970-01-01T00:00:00Z',
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
    `    <AdaptationSet${attributes({ id: 1, contentType: 'audio', mimeType: 'audio/mp4', segmentAlignment: 'true', startWithSAP: 1, lang: 'und' })}>`,
    `      <Representation${attributes({
      ...{ id: 'a', codecs: first?.codecs.audio ?? 'mp4a.40.2', audioSamplingRate: format.sampleRate },
      bandwidth: audioBitsPerS,
    })}>${template('audio')}</Representation>`,
    '    </AdaptationSet>',
    '  </Period>',
    '</MPD>',
    '',
  ].join('\n')
}
