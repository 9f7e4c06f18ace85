/** A thing below `/streams/<stream>/` that a player asks for. */
export interface Resource {
  readonly kind: 'segment' | 'init' | 'playlist' | 'other'
  /** Below `/streams/<stream>/`, with its query. */
  readonly path: string
  /** Of a segment; of a playlist the number that it must hold (`_HLS_msn`). Null: not bound to any. */
  readonly number: number | null
  /** Folder of segments and init segment, as `video`. */
  readonly rendition: string
}

const numberIn = (text: string | undefined): number | null => {
  const number = text !== undefined && /^\d{1,16}$/.test(text) ? Number(text) : NaN
  return Number.isSafeInteger(number) ? number : null
}

/** Null: the URL is not one of the stream's. The host of the URL says nothing: the route decides who is asked. */
export const resourceOf = (url: string, stream: string): Resource | null => {
  const [, path = '', query = ''] = new RegExp(`/streams/${stream}/([^?#]+)(\\?[^#]*)?`).exec(url) ?? []
  if (path === '' || path.split('/').includes('..')) return null
  const whole = `${path}${query}`
  const rendition = path.slice(0, Math.max(0, path.lastIndexOf('/')))
  if (path.endsWith('.m4s')) {
    const number = numberIn(path.slice(rendition.length + 1, -'.m4s'.length))
    return { kind: number === null ? 'other' : 'segment', path: whole, number, rendition }
  }
  if (path.endsWith('init.mp4')) return { kind: 'init', path: whole, number: null, rendition }
  if (!path.endsWith('.m3u8')) return { kind: 'other', path: whole, number: null, rendition }
  return { kind: 'playlist', path: whole, number: numberIn(/[?&]_HLS_msn=([^&]*)/.exec(query)?.[1]), rendition }
}
