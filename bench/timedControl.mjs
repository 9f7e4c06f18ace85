// The control plane as `segue control` runs it, with a clock at the store: notes how old each health sample is when the
// append that records it, with every decision drawn from it, has been committed. Writes them to timed.json at the end.
//   node bench/timedControl.mjs --nats URL --data DIR --port N
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { defaultServerPolicy, defaultStreamPolicy } from '../dist/events/index.js'
import { openSqliteStore } from '../dist/events/stores/sqlite/index.js'
import { connectNats } from '../dist/messaging/nats/index.js'
import { startControlPlane } from '../dist/runtime/control/controlPlane.js'
import { storePathIn } from '../dist/runtime/dataDirectory.js'
import { lineLogger, runService } from '../dist/runtime/process/index.js'
import { timedStore } from './timedStore.mjs'

const { nats, data, port } = parseArgs({
  options: { nats: { type: 'string' }, data: { type: 'string' }, port: { type: 'string' } },
}).values
const logger = lineLogger({ part: 'control', write: (line) => void process.stdout.write(line) })
const timed = []

process.exitCode = await runService({
  logger,
  start: async () => {
    const store = await openSqliteStore({ path: storePathIn(data) })
    const transport = await connectNats({ url: nats, name: 'segue-control' })
    const control = await startControlPlane({
      ...{
        store: timedStore(store, (each) => timed.push(each)),
        transport,
        dataDir: data,
        host: '127.0.0.1',
        port: Number(port),
        logger,
      },
      ...{ serverPolicy: defaultServerPolicy, streamPolicy: defaultStreamPolicy },
    })
    return {
      url: control.url,
      close: async () => {
        await control.close()
        await transport.close()
        await store.close()
        await writeFile(join(data, 'timed.json'), JSON.stringify(timed))
      },
    }
  },
})
