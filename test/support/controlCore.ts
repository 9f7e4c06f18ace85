import { generateKeyPairSync } from 'node:crypto'
import { systemClock } from '../../src/actors/index.js'
import { defaultServerPolicy, defaultStreamPolicy, type EventStore } from '../../src/events/index.js'
import { createMemoryBus } from '../../src/messaging/memory/index.js'
import { ControlCore } from '../../src/runtime/control/core.js'
import type { ControlCoreOptions } from '../../src/runtime/control/coreOptions.js'
import { signerOf } from '../../src/runtime/control/noticeSigner.js'

const signer = signerOf(generateKeyPairSync('ed25519').privateKey)

/** A control plane's core on a store, that watches nobody; with what it warns of. */
export function controlCoreOn(
  store: EventStore,
  changes: Partial<ControlCoreOptions> = {},
): { readonly core: ControlCore; readonly warnings: ReadonlyArray<string> } {
  const warnings: string[] = []
  const core = new ControlCore({
    ...{ store, signer, clock: systemClock, transport: createMemoryBus().connect('control') },
    ...{ serverPolicy: defaultServerPolicy, streamPolicy: defaultStreamPolicy },
    watch: () => ({
      add: () => undefined,
      restarted: () => undefined,
      quality: () => ({ rttMs: null, lossRatio: null, jitterMs: null }),
      close: () => Promise.resolve(),
    }),
    logger: { info: () => undefined, warn: (message) => void warnings.push(message) },
    ...changes,
  })
  return { core, warnings }
}
