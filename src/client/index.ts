export type { StreamInit } from './bootstrap.js'
export type { BootstrapFailed, ClientFault, SessionError, StreamLost, StreamUnavailable } from './errors.js'
export type { Listener, PlayedSegment, SessionEvents } from './events.js'
export { isMalformed, readFragment, readInit } from './fragment.js'
export type { FragmentSpan, MalformedFragment, TrackInit } from './fragment.js'
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
export { createSession } from './session.js'
export type { SessionOptions, ViewerSession } from './session.js'
