export {
  advancePosition,
  createFeedHandler,
  formatPosition,
  type FeedHandlerOptions,
  type PublishedFeed,
} from './handler.js'
export { feedAgent, connectFeed, type FeedConnection, type FeedError, type FeedRequest } from './connection.js'
export { FeedBlocks } from './blocks.js'
export { firstCounters, type FeedBlock, type FeedCounters } from './block.js'
export { FileJournal, type Journal, type JournalFailure, type JournalOptions, type RememberedFeed } from './journal.js'
export { FeedRing, type FeedRingOptions, type FeedStart } from './ring.js'
export { FeedWriter, type FeedUnit } from './writer.js'
export { AccessUnitParser, type AccessUnit } from './ts/accessUnits.js'
