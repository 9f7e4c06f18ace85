// The stand-in as a process: node test/support/eventstoredb/main.mjs ['{"port":2113}']
// It prints its address; over IPC it takes faults, and answers what it holds.
import { startStandIn } from './server.mjs'

const standIn = await startStandIn(JSON.parse(process.argv[2] ?? '{}', asBytes))
const address = `esdb://127.0.0.1:${standIn.port}?tls=false`
console.log(address)
process.send?.({ type: 'ready', port: standIn.port })
process.on('message', ({ type, fault }) => {
  if (type === 'fault') standIn.fault(fault)
  process.send?.({ type: 'done', events: type === 'events' ? standIn.events().map(shown) : [] })
})
process.on('disconnect', () => process.exit())

const shown = ({ id, stream, revision, type, data, customMetadata }) => ({
  ...{ id, stream, revision, type },
  data: data.toString(),
  metadata: customMetadata.toString(),
})

/** Keys and certificates are texts in the argument. */
function asBytes(key, value) {
  return key === 'key' || key === 'certificate' ? Buffer.from(value) : value
}
