import type { Route } from '../../messaging/index.js'

/** Where a player begins: the server that it had its playlist from. */
export const herePathway = 'here'

/** Stable names and playlists of what a stream consists of, as steering needs them for a clone. */
export interface SteeredPlaylists {
  readonly variants: Readonly<Record<string, string>>
  readonly renditions: Readonly<Record<string, string>>
}

/** A steering manifest (RFC 8216bis, 7.1; ETSI TS 103 998 for DASH). */
export interface SteeringManifest {
  readonly VERSION: 1
  readonly TTL: number
  readonly 'RELOAD-URI'?: string
  readonly 'PATHWAY-PRIORITY': ReadonlyArray<string>
  readonly 'PATHWAY-CLONES': ReadonlyArray<{
    readonly 'BASE-ID': string
    readonly ID: string
    readonly 'URI-REPLACEMENT': {
      readonly HOST: string
      readonly 'PER-VARIANT-URIS': Readonly<Record<string, string>>
      readonly 'PER-RENDITION-URIS': Readonly<Record<string, string>>
    }
  }>
}

/** Seconds. A planned handover is announced about a second before the old server ends. */
const ttlS = 1

const under = (base: string, path: string): string => `${base.replace(/\/$/, '')}/${path}`

/**
 * Sends ordinary players to the primary, and to the standby when it fails. The same on every server that knows the route.
 * Servers are clones of the one pathway that the playlist names, with whole addresses, because a host name cannot say
 * the port. Later manifests come from the standby: the primary is the one that will be missed, and a cut-over makes its
 * standby the primary before it goes.
 */
export function steeringManifest(stream: string, route: Route | null, playlists: SteeredPlaylists): SteeringManifest {
  const servers = route === null ? [] : [route.primary, ...(route.standby === null ? [] : [route.standby])]
  const folder = `streams/${stream}`
  const at = (base: string, paths: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
    Object.fromEntries(Object.entries(paths).map(([id, path]) => [id, under(base, `${folder}/${path}`)]))
  const reload = servers.at(-1)
  return {
    VERSION: 1,
    TTL: ttlS,
    ...(reload === undefined ? {} : { 'RELOAD-URI': under(reload.url, `${folder}/steering.json`) }),
    'PATHWAY-PRIORITY': [...servers.map(({ id }) => id), herePathway],
    'PATHWAY-CLONES': servers.map(({ id, url }) => ({
      'BASE-ID': herePathway,
      ID: id,
      'URI-REPLACEMENT': {
        HOST: new URL(url).hostname,
        'PER-VARIANT-URIS': at(url, playlists.variants),
        'PER-RENDITION-URIS': at(url, playlists.renditions),
      },
    })),
  }
}
