export {
  bufferCapacity,
  createSegmentBuffer,
  hashed,
  sha256Hex,
  type HashedBytes,
  type HeldInit,
  type HeldSegment,
  type PutOutcome,
  type SegmentBuffer,
} from './segmentBuffer.js'
