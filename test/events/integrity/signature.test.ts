import { generateKeyPairSync } from 'node:crypto'
import { isSameKey } from '../../../src/events/integrity/index.js'

test('a key is the same as itself, as a whole or its public half, and as no other', () => {
  const [one, other] = [generateKeyPairSync('ed25519'), generateKeyPairSync('ed25519')]
  expect(isSameKey(one.privateKey, one.publicKey)).toBe(true)
  expect(isSameKey(one.publicKey, other.publicKey)).toBe(false)
})
