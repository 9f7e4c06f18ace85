export {
  activeSigner,
  ensureSigner,
  generateKey,
  KeysUnusable,
  listKeys,
  readPublicKeyFile,
  rotateKey,
  type LedgerKeyInfo,
} from './keys.js'
export { startLedgerKeeper, type LedgerKeeper, type LedgerKeeperOptions } from './keeper.js'
export { keepLedger, keysIn } from './keepLedger.js'
