export * from './codecs.js'
export * from './routeOrder.js'
export * from './subjects.js'
export * from './transport.js'
