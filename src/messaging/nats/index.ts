export { connectNats } from './natsTransport.js'
export type { NatsOptions } from './connect.js'
