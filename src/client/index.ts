export type { TicketSource } from './admission.js'
export type { StreamInit } from './streamInit.js'
export { browserClock, browserCrypto, browserPorts, browserTransport, openBrowserChannel } from './browser.js'
export { RequestFailed } from './errors.js'
export type {
  BootstrapFailed,
  ClientFault,
  RequestFailure,
  SessionError,
  StreamLost,
  StreamUnavailable,
  TicketRefused,
} from './errors.js'
export type { LinkEvents, Listener, PlayedSegment, SessionEvents } from './events.js'
export { useWithDash } from './dashInterceptors.js'
export { withFallback } from './fallback.js'
export { isMalformed, readFragment, readInit } from './fragment.js'
export type { FragmentSpan, MalformedFragment, TrackInit } from './fragment.js'
export { createHlsLoader, hlsConfig, hlsTiming } from './hlsLoader.js'
export { playInto } from './mediaSource.js'
export { createPlayerSession } from './playerSession.js'
export { latencyFor, paceAfter, paceUnknown, rateFor, rateMax, rateMin } from './pacing.js'
export type { Pace, Wishes } from './pacing.js'
export type { PlayerEvents, PlayerSession, PlayerSessionOptions, WatchOptions } from './playerContract.js'
export { headerOf, TransportError } from './ports.js'
export type {
  Clock,
  Crypto,
  GetOptions,
  HttpAnswer,
  NoticeChannel,
  NoticeChannelHandlers,
  OpenNoticeChannel,
  Transport,
  TransportFailure,
} from './ports.js'
export type { Delivery } from './requests.js'
export { useWithShaka } from './shakaScheme.js'
export { createSession } from './session.js'
export type { SessionOptions, ViewerSession } from './session.js'
export type { PublicKeys } from './trust.js'
export type { MediaElement } from './watching.js'
