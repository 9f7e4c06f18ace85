import type { ServerPolicy, StreamPolicy } from '../../events/index.js'
import { openSqliteStore } from '../../events/stores/sqlite/index.js'
import { connectNats } from '../../messaging/nats/index.js'
import { startControlPlane, type ControlPlaneOptions } from '../control/controlPlane.js'
import { makeFolder } from './folder.js'
import type { Service } from './lifecycle.js'
import type { Logger } from './logger.js'
import { storePathIn } from './replay.js'

export interface ControlProcessOptions {
  readonly natsUrl: string
  readonly host: string
  readonly port: number
  readonly dataDir: string
  readonly serverPolicy: ServerPolicy
  readonly streamPolicy: StreamPolicy
  /** Folders of files to serve besides the API; the page. */
  readonly pages?: ControlPlaneOptions['pages']
  readonly logger: Logger
}

/** The control plane with its embedded event store. */
export async function startControl(options: ControlProcessOptions): Promise<Service> {
  const { natsUrl, host, port, dataDir, serverPolicy, streamPolicy, logger } = options
  await makeFolder(dataDir)
  const store = await openSqliteStore({ path: storePathIn(dataDir) })
  const transport = await connectNats({ url: natsUrl, name: 'segue-control' }).catch(async (error: unknown) => {
    await store.close()
    throw error
  })
  transport.onState((state) => logger.info(`broker: ${state}`))
  const close = async (): Promise<void> => {
    await transport.close()
    await store.close()
  }
  try {
    const control = await startControlPlane({
      store,
      transport,
      dataDir,
      host,
      port,
      serverPolicy,
      streamPolicy,
      logger,
      ...(options.pages === undefined ? {} : { pages: options.pages }),
    })
    logger.info(`ready at ${control.url}, log in ${storePathIn(dataDir)}`)
    return {
      url: control.url,
      close: async () => {
        await control.close()
        await close()
      },
    }
  } catch (error) {
    await close()
    throw error
  }
}
