/**
 * What draft-ietf-hls-rfc8216bis asks of a playlist, as far as Segue's make use of it. Gives what is broken, in words;
 * nothing for a playlist that is right.
 */

/** Attributes of a tag (4.2); a repeated name is a fault of its own. */
const attributesOf = (text: string, faults: string[]): ReadonlyMap<string, string> => {
  const found = new Map<string, string>()
  const pattern = /([A-Z0-9-]+)=("[^"\r\n]*"|[^",\s]+)(?:,|$)/y
  while (pattern.lastIndex < text.length) {
    const [, name, value] = pattern.exec(text) ?? []
    if (name === undefined || value === undefined) {
      faults.push(`4.2: cannot be read as attributes: ${text}`)
      break
    }
    if (found.has(name)) faults.push(`4.2: ${name} is there twice`)
    found.set(name, value)
  }
  return found
}

const linesOf = (playlist: string, faults: string[]): ReadonlyArray<string> => {
  const lines = playlist.split('\n')
  if (lines[0] !== '#EXTM3U') faults.push('4.4.1.1: does not begin with #EXTM3U')
  if (playlist.charCodeAt(0) === 0xfeff) faults.push('4.1: begins with a byte order mark')
  if (lines.at(-1) !== '') faults.push('4.1: the last line does not end')
  return lines.slice(0, -1)
}

const tagIn = (lines: ReadonlyArray<string>, name: string): ReadonlyArray<string> =>
  lines.filter((line) => line === `#${name}` || line.startsWith(`#${name}:`)).map((line) => line.slice(name.length + 2))

const quoted = (value: string | undefined): boolean => /^"[^"]+"$/.test(value ?? '')
const stableId = /^"[A-Za-z0-9+/=._-]+"$/

/** @returns what is wrong with a media playlist of a live stream */
export const faultsOfMediaPlaylist = (playlist: string): ReadonlyArray<string> => {
  const faults: string[] = []
  const lines = linesOf(playlist, faults)
  const one = (name: string): string => {
    const [first, ...others] = tagIn(lines, name)
    if (first === undefined || others.length > 0)
      faults.push(`${name} is there ${others.length + (first === undefined ? 0 : 1)} times`)
    return first ?? ''
  }
  const version = Number(one('EXT-X-VERSION'))
  const target = Number(one('EXT-X-TARGETDURATION'))
  const sequence = one('EXT-X-MEDIA-SEQUENCE')
  const control = attributesOf(one('EXT-X-SERVER-CONTROL'), faults)
  const map = attributesOf(one('EXT-X-MAP'), faults)
  if (!Number.isInteger(target) || target < 1) faults.push('4.4.3.1: the target duration is no whole number')
  if (!/^\d+$/.test(sequence)) faults.push('4.4.3.2: the media sequence is no decimal integer')
  if (version < 6) faults.push('8: EXT-X-MAP in a playlist that is not of I-frames needs version 6')
  if (!quoted(map.get('URI'))) faults.push('4.4.4.5: EXT-X-MAP has no URI')
  if (control.get('CAN-BLOCK-RELOAD') !== 'YES') faults.push('4.4.3.8: CAN-BLOCK-RELOAD can only be YES')
  const holdBack = control.get('HOLD-BACK')
  if (holdBack !== undefined && Number(holdBack) < 3 * target)
    faults.push('4.4.3.8: HOLD-BACK is below three target durations')
  const dates = tagIn(lines, 'EXT-X-PROGRAM-DATE-TIME')
  for (const date of dates) if (Number.isNaN(Date.parse(date))) faults.push(`4.4.4.6: ${date} is no date`)
  const durations = tagIn(lines, 'EXTINF').map((text) => /^(\d+\.\d+),/.exec(text)?.[1])
  for (const duration of durations) {
    if (duration === undefined) faults.push('4.4.4.1: a duration is not decimal, or has no comma')
    else if (Math.round(Number(duration)) > target)
      faults.push(`4.4.3.1: ${duration} rounds to more than the target duration`)
  }
  const total = durations.reduce((sum, duration) => sum + Number(duration ?? 0), 0)
  if (total < 3 * target) faults.push(`6.2.2: ${total.toFixed(2)} s are less than three target durations`)
  const uris = lines.filter((line) => line !== '' && !line.startsWith('#'))
  if (uris.length !== durations.length) faults.push('4.4.4.1: not every segment has its EXTINF')
  if (new Set(uris).size !== uris.length) faults.push('a segment is there twice')
  lines.forEach((line, index) => {
    if (line.startsWith('#EXTINF') && lines[index + 1]?.startsWith('#') !== false)
      faults.push('4.4.4.1: no segment after EXTINF')
  })
  if (tagIn(lines, 'EXT-X-STREAM-INF').length > 0) faults.push('4.1: tags of a multivariant playlist')
  return faults
}

/** @returns what is wrong between two states of one media playlist, the older first (6.2.1, 6.2.2) */
export const faultsOfReload = (before: string, after: string): ReadonlyArray<string> => {
  const faults: string[] = []
  const read = (playlist: string) => {
    const lines = playlist.split('\n')
    const first = Number(tagIn(lines, 'EXT-X-MEDIA-SEQUENCE')[0])
    const uris = lines.filter((line) => line !== '' && !line.startsWith('#'))
    return {
      first,
      byNumber: new Map(uris.map((uri, index) => [first + index, uri])),
      target: tagIn(lines, 'EXT-X-TARGETDURATION')[0],
    }
  }
  const [old, young] = [read(before), read(after)]
  if (young.first < old.first) faults.push('6.2.2: the media sequence went back')
  if (young.target !== old.target) faults.push('6.2.1: the target duration changed')
  for (const [number, uri] of young.byNumber) {
    const known = old.byNumber.get(number)
    if (known !== undefined && known !== uri) faults.push(`6.2.1: segment ${number} changed`)
  }
  return faults
}

/** @returns what is wrong with a multivariant playlist */
export const faultsOfMultivariantPlaylist = (playlist: string): ReadonlyArray<string> => {
  const faults: string[] = []
  const lines = linesOf(playlist, faults)
  const media = tagIn(lines, 'EXT-X-MEDIA').map((text) => attributesOf(text, faults))
  const streams = tagIn(lines, 'EXT-X-STREAM-INF').map((text) => attributesOf(text, faults))
  const steering = tagIn(lines, 'EXT-X-CONTENT-STEERING').map((text) => attributesOf(text, faults))
  if (streams.length === 0) faults.push('4.4.6.2: no variant')
  if (steering.length > 1) faults.push('4.4.6.6: more than one EXT-X-CONTENT-STEERING')
  for (const each of media) {
    for (const name of ['TYPE', 'GROUP-ID', 'NAME'])
      if (!each.has(name)) faults.push(`4.4.6.1: EXT-X-MEDIA without ${name}`)
    if (each.get('DEFAULT') === 'YES' && each.get('AUTOSELECT') === 'NO')
      faults.push('4.4.6.1: DEFAULT without AUTOSELECT')
    if (!stableId.test(each.get('STABLE-RENDITION-ID') ?? ''))
      faults.push('4.4.6.1: STABLE-RENDITION-ID is no stable id')
  }
  const inGroup = (each: ReadonlyMap<string, string>, name: string): string =>
    `${each.get('GROUP-ID')} ${each.get(name)}`
  for (const name of ['NAME', 'STABLE-RENDITION-ID']) {
    const values = media.map((each) => inGroup(each, name))
    if (new Set(values).size !== values.length)
      faults.push(`4.4.6.1.1: two renditions of one group have the same ${name}`)
  }
  const byDefault = media.filter((each) => each.get('DEFAULT') === 'YES').map((each) => each.get('GROUP-ID'))
  if (new Set(byDefault).size !== byDefault.length)
    faults.push('4.4.6.1.1: a group has two renditions with DEFAULT=YES')
  const groups = new Set(media.filter((each) => each.get('TYPE') === 'AUDIO').map((each) => each.get('GROUP-ID')))
  for (const each of streams) {
    if (!/^\d+$/.test(each.get('BANDWIDTH') ?? '')) faults.push('4.4.6.2: BANDWIDTH is missing')
    if (!quoted(each.get('CODECS'))) faults.push('4.4.6.2: CODECS should be there')
    if (!/^\d+x\d+$/.test(each.get('RESOLUTION') ?? '0x0')) faults.push('4.4.6.2: RESOLUTION is none')
    if (each.has('AUDIO') && !groups.has(each.get('AUDIO'))) faults.push('4.4.6.2: the AUDIO group does not exist')
    if (!stableId.test(each.get('STABLE-VARIANT-ID') ?? '')) faults.push('4.4.6.2: STABLE-VARIANT-ID is no stable id')
    if (steering.length > 0 && !quoted(each.get('PATHWAY-ID'))) faults.push('4.4.6.2: no PATHWAY-ID, though steered')
  }
  const ids = streams.map((each) => `${each.get('PATHWAY-ID')} ${each.get('STABLE-VARIANT-ID')}`)
  if (new Set(ids).size !== ids.length) faults.push('4.4.6.2: two variants of one pathway have the same id')
  for (const each of steering) {
    if (!quoted(each.get('SERVER-URI'))) faults.push('4.4.6.6: SERVER-URI is missing')
    const first = each.get('PATHWAY-ID')
    if (first !== undefined && !streams.some((stream) => stream.get('PATHWAY-ID') === first))
      faults.push('4.4.6.6: no variant on the first pathway')
  }
  lines.forEach((line, index) => {
    if (line.startsWith('#EXT-X-STREAM-INF') && lines[index + 1]?.startsWith('#') !== false)
      faults.push('4.4.6.2: no URI after EXT-X-STREAM-INF')
  })
  return faults
}
