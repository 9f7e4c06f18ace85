export {
  advancePosition,
  createFeedHandler,
  formatPosition,
  type FeedHandlerOptions,
  type PublishedFeed,
} from './handler.js'
export { FeedRing, type FeedRingOptions, type FeedStart } from './ring.js'
export { FeedWriter, type FeedUnit } from './writer.js'
export { AccessUnitParser, type AccessUnit } from './ts/accessUnits.js'
