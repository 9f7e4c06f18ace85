import { generateKeyPairSync } from 'node:crypto'
import { signerOf } from '../../src/runtime/control/noticeSigner.js'

const next = generateKeyPairSync('ed25519').privateKey

/** What a control plane signs with; it has named its successor. */
export const controlKey = signerOf(generateKeyPairSync('ed25519').privateKey, next)
/** The control plane after its key was replaced. */
export const nextControlKey = signerOf(next)
/** Somebody who says that his key is the control plane's. */
export const strangersKey = { ...signerOf(generateKeyPairSync('ed25519').privateKey) }
