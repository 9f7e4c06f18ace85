import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { emptyRoot, isIncluded, leafHash, MerkleTree } from '../../../src/events/integrity/index.js'

/** The definition of RFC 6962 section 2.1, word for word. */
function rootByDefinition(leaves: ReadonlyArray<string>): Buffer {
  const sha = (...parts: ReadonlyArray<Uint8Array>) => createHash('sha256').update(Buffer.concat(parts)).digest()
  const [only] = leaves
  if (only === undefined) return sha()
  if (leaves.length === 1) return sha(Buffer.of(0), Buffer.from(only))
  let split = 1
  while (split * 2 < leaves.length) split *= 2
  return sha(Buffer.of(1), rootByDefinition(leaves.slice(0, split)), rootByDefinition(leaves.slice(split)))
}

const treeOf = (leaves: ReadonlyArray<string>): MerkleTree => {
  const tree = new MerkleTree()
  leaves.forEach((leaf, index) => tree.set(index, leafHash(leaf)))
  return tree
}

describe('a Merkle tree', () => {
  it('has the root that RFC 6962 defines, for every number of leaves', () => {
    const leaves = Array.from({ length: 70 }, (_, index) => `leaf ${index}`)
    for (let size = 0; size <= leaves.length; size += 1) {
      const some = leaves.slice(0, size)
      expect(treeOf(some).root().toString('hex')).toBe(rootByDefinition(some).toString('hex'))
    }
    expect(new MerkleTree().root()).toEqual(emptyRoot())
  })

  it('has the same root after leaves were changed and added as one that was made at once', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(40), fc.string()), { minLength: 1, maxLength: 80 }), (changes) => {
        const tree = new MerkleTree()
        const leaves: string[] = []
        for (const [place, leaf] of changes) {
          const index = Math.min(place, leaves.length)
          leaves[index] = leaf
          tree.set(index, leafHash(leaf))
          // Roots in between must not be in the way of later ones.
          if (place % 3 === 0) tree.root()
        }
        expect(tree.root()).toEqual(rootByDefinition(leaves))
      }),
    )
  })

  it('proves each leaf, and nothing else', () => {
    for (const size of [1, 2, 3, 5, 8, 13, 33]) {
      const leaves = Array.from({ length: size }, (_, index) => `leaf ${index}`)
      const tree = treeOf(leaves)
      const root = tree.root()
      leaves.forEach((leaf, index) => {
        const proof = tree.proof(index)
        expect(isIncluded(leafHash(leaf), index, size, proof, root)).toBe(true)
        expect(isIncluded(leafHash(`${leaf}!`), index, size, proof, root)).toBe(false)
        expect(isIncluded(leafHash(leaf), index, size, proof, leafHash('root'))).toBe(false)
        expect(isIncluded(leafHash(leaf), size, size, proof, root)).toBe(false)
        expect(isIncluded(leafHash(leaf), index, size, [...proof, root], root)).toBe(false)
        if (size > 1) expect(isIncluded(leafHash(leaf), (index + 1) % size, size, proof, root)).toBe(false)
      })
    }
  })
})
