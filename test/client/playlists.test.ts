import { firstListed, fromNumber, newestListed } from '../../src/client/playlists.js'
import { resourceOf } from '../../src/client/resources.js'

const playlist = (first: number, count: number): string =>
  [
    '#EXTM3U',
    '#EXT-X-TARGETDURATION:1',
    `#EXT-X-MEDIA-SEQUENCE:${first}`,
    '#EXT-X-MAP:URI="video/init.mp4"',
    `#EXT-X-PROGRAM-DATE-TIME:${new Date(first * 320).toISOString()}`,
    ...Array.from({ length: count }, (_, i) => `#EXTINF:0.32000,\nvideo/${first + i}.m4s`),
    '',
  ].join('\n')

describe('a playlist from another server', () => {
  it('is cut so that its first number never goes back, and its date with it', () => {
    expect(fromNumber(playlist(100, 10), 103)).toBe(playlist(103, 7))
  })

  it('is left alone when it begins later, or when nothing would be left', () => {
    expect(fromNumber(playlist(100, 3), 99)).toBe(playlist(100, 3))
    expect(fromNumber(playlist(100, 3), 500)).toBe(playlist(100, 3))
    expect(fromNumber('no playlist', 5)).toBe('no playlist')
  })

  it('tells its first and its newest number', () => {
    expect([firstListed(playlist(7, 3)), newestListed(playlist(7, 3)), newestListed('#EXTM3U')]).toEqual([7, 9, null])
  })
})

describe('a URL that a player asks for', () => {
  test.each([
    ['https://x/streams/main/video/12.m4s', { kind: 'segment', path: 'video/12.m4s', number: 12, rendition: 'video' }],
    ['/streams/main/v360/init.mp4', { kind: 'init', path: 'v360/init.mp4', number: null, rendition: 'v360' }],
    ['https://x/streams/main/video.m3u8?_HLS_msn=9', { kind: 'playlist', number: 9, path: 'video.m3u8?_HLS_msn=9' }],
    ['https://x/streams/main/video/99999999999999999999.m4s', { kind: 'other', number: null }],
  ])('%s', (url, resource) => {
    expect(resourceOf(url, 'main')).toMatchObject(resource)
  })

  it.each(['https://x/streams/other/video/1.m4s', 'https://x/streams/main/../../etc/passwd', 'https://keys/k'])(
    '%s is not one of the stream',
    (url) => {
      expect(resourceOf(url, 'main')).toBeNull()
    },
  )
})
