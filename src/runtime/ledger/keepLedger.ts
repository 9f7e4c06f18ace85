import { join } from 'node:path'
import { systemClock } from '../../actors/index.js'
import type { EventStore } from '../../events/index.js'
import { startLedgerKeeper, type LedgerKeeper, type LedgerKeeperOptions } from './keeper.js'
import { ensureSigner, listKeys } from './keys.js'

/** The folder of keys in a data folder, where no other was asked for. */
export const keysIn = (dataDir: string): string => join(dataDir, 'keys')

export interface KeepLedgerOptions {
  readonly store: EventStore
  /** Folder of the ledger's keys; the first one is made when it holds none. */
  readonly keysDir: string
  readonly everyMs?: number
  readonly logger: LedgerKeeperOptions['logger']
}

/** Keeps the ledger of a log with the keys of a folder, by the computer's clock. @throws KeysUnusable */
export async function keepLedger({ store, keysDir, everyMs, logger }: KeepLedgerOptions): Promise<LedgerKeeper> {
  const { now } = systemClock
  await ensureSigner(keysDir, now())
  return startLedgerKeeper({
    store,
    clock: systemClock,
    signer: () => ensureSigner(keysDir, now()),
    isOurs: async (key) => (await listKeys(keysDir)).some(({ id }) => id === key),
    logger,
    ...(everyMs === undefined ? {} : { everyMs }),
  })
}
