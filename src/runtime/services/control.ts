import type { ServerPolicy, StreamPolicy } from '../../events/index.js'
import { describeConnection, openStore, sqliteAt, type StoreConnection } from '../../events/stores/index.js'
import { connectNats } from '../../messaging/nats/index.js'
import { startControlPlane, type ControlPlaneOptions } from '../control/controlPlane.js'
import { keepLedger, keysIn } from '../ledger/index.js'
import { readModelPath } from '../projecting/location.js'
import { openSnapshots, snapshotsPath } from '../snapshots/index.js'
import { makeFolder } from '../process/folder.js'
import type { Service } from '../process/lifecycle.js'
import type { Logger } from '../process/logger.js'
import { endControl } from './controlEnding.js'
import { defaultDataRoot, storePathIn } from '../dataDirectory.js'

export interface ControlProcessOptions {
  readonly natsUrl: string
  readonly host: string
  readonly port: number
  /** Keys and snapshots; and the log, unless `eventStore` says otherwise. */
  readonly dataDir: string
  readonly eventStore?: StoreConnection
  /** Keys that sign the integrity ledger; default: `keys` in the data folder. */
  readonly keysDir?: string
  /** Milliseconds between two signed checkpoints of the ledger. */
  readonly checkpointEveryMs?: number
  /** What media servers reported longer ago is archived to a folder; default: everything stays in the log. */
  readonly retention?: { readonly olderThanMs: number; readonly dir: string }
  /** File of the projections, which see everything before it is archived; default: see `readModelPath`. */
  readonly projections?: string
  /** Milliseconds between two trainings of a model on the log; 0: only on drift, and when somebody asks. Default: a day. */
  readonly retrainEveryMs?: number
  readonly serverPolicy: ServerPolicy
  readonly streamPolicy: StreamPolicy
  /** Folders of files to serve besides the API; the page. */
  readonly pages?: ControlPlaneOptions['pages']
  readonly logger: Logger
}

const retrainEveryMsDefault = 86_400_000

/** The control plane with its event store. */
export async function startControl(options: ControlProcessOptions): Promise<Service> {
  const { natsUrl, host, port, dataDir, serverPolicy, streamPolicy, logger } = options
  await makeFolder(dataDir)
  const { eventStore = sqliteAt(storePathIn(dataDir)) } = options
  const store = await openStore(eventStore)
  const transport = await connectNats({ url: natsUrl, name: 'segue-control' }).catch(async (error: unknown) => {
    await store.close()
    throw error
  })
  transport.onState((state) => logger.info(`broker: ${state}`))
  const snapshots = await openSnapshots(snapshotsPath(dataDir), (message) => logger.warn(message))
  const close = async (): Promise<void> => {
    await transport.close()
    snapshots.close()
    await store.close()
  }
  try {
    const control = await startControlPlane({
      store,
      transport,
      snapshots,
      dataDir,
      host,
      port,
      serverPolicy,
      streamPolicy,
      logger,
      // A log in memory cannot be opened a second time.
      ...(eventStore.type === 'memory'
        ? {}
        : {
            training: {
              // What was archived is learned from as well.
              log: options.retention === undefined ? eventStore : { ...eventStore, archive: options.retention.dir },
              everyMs: options.retrainEveryMs ?? retrainEveryMsDefault,
            },
          }),
      ...(options.pages === undefined ? {} : { pages: options.pages }),
    })
    const ledger = await keepLedger({
      ...{ store, logger, keysDir: options.keysDir ?? keysIn(dataDir) },
      ...(options.checkpointEveryMs === undefined ? {} : { everyMs: options.checkpointEveryMs }),
    }).catch(async (error: unknown) => {
      await control.close()
      throw error
    })
    const retention =
      options.retention === undefined
        ? undefined
        : (await import('../logs/retention.js')).keepArchiving({
            ...{ store, keeper: ledger, logger, ...options.retention },
            projections: options.projections ?? readModelPath(eventStore, defaultDataRoot()),
          })
    logger.info(`ready at ${control.url}, log in ${describeConnection(eventStore)}`)
    return {
      url: control.url,
      ended: control.eventsLost.then(({ message }) => {
        logger.error(`${message}; ending, so that the next start begins with what the log holds`)
        return 1
      }),
      close: async () => {
        await endControl({ control, ledger, retention })
        await close()
      },
    }
  } catch (error) {
    await close()
    throw error
  }
}
