export { connectNats, type NatsTransport } from './natsTransport.js'
export type { NatsOptions } from './connect.js'
export { watchBroker, type BrokerWatch, type BrokerWatchOptions } from './brokerWatch.js'
