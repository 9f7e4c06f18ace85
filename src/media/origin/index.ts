export { createAuthority, type Authority, type AuthorityOptions, type AuthorityState } from './authority.js'
export { manifestOf } from './documentRoutes.js'
export {
  windowSegments,
  type DrainControl,
  type DrainProgress,
  type OriginHost,
  type OriginStream,
  type Role,
} from './host.js'
export { createOrigin } from './origin.js'
export { mediaPlaylist, multivariantPlaylist, readVariants, type VariantFacts } from './playlists.js'
export { createRouteBook, type RouteBook, type Verdict } from './routeBook.js'
export {
  systemClocks,
  watchForSuspension,
  type Clocks,
  type SuspensionOptions,
  type SuspensionWatch,
} from './suspension.js'
