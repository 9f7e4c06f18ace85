export type { PeerError } from './errors.js'
export { follow, type Follower, type FollowOptions } from './follow.js'
export { connectPeer, type CopiedInit, type Peer, type PeerOptions } from './peer.js'
export { stitch, unverifiedResult, type Stitched, type StitchOptions } from './stitch.js'
