// The stand-in as a process: node test/support/eventstoredb/main.mjs ['{"port":2113}']
// It prints its address. Over IPC it takes faults, answers what it holds, and opens and closes further ones beside itself.
import { startStandIn } from './server.mjs'

const open = new Map()

const begin = async (options) => {
  const standIn = await startStandIn(options)
  open.set(standIn.port, standIn)
  return standIn.port
}

const end = (port) => {
  open.get(port).close()
  open.delete(port)
}

const shown = ({ id, stream, revision, type, data, customMetadata }) => ({
  ...{ id, stream, revision, type },
  data: data.toString(),
  metadata: customMetadata.toString(),
})

/** Keys and certificates are texts in the argument. */
const withBytes = (options) => {
  const { tls } = options
  if (tls === undefined) return options
  return { ...options, tls: { key: Buffer.from(tls.key), certificate: Buffer.from(tls.certificate) } }
}

/** What is answered to each order, beside that it was carried out. */
const carryOut = {
  begin: async ({ options }) => ({ port: await begin(withBytes(options)) }),
  end: ({ port }) => end(port),
  fault: ({ port, fault }) => open.get(port).fault(fault),
  events: ({ port }) => ({ events: open.get(port).events().map(shown) }),
}

if (process.send === undefined) {
  const port = await begin(withBytes(JSON.parse(process.argv[2] ?? '{}')))
  console.log(`esdb://127.0.0.1:${port}?tls=false`)
}
process.on('message', async ({ type, ...order }) => process.send({ ...(await carryOut[type](order)) }))
process.on('disconnect', () => process.exit())
