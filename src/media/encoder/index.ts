export {
  createEncoder,
  warmUpEncoder,
  type Encoder,
  type EncoderOptions,
  type EncoderState,
  type EncoderStats,
  type MediaLogger,
} from './encoder.js'
export type { EncoderRunEnd } from './run.js'
