export * from './codecs.js'
export * from './subjects.js'
export * from './transport.js'
