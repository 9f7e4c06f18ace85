import type { KeyObject } from 'node:crypto'
import * as E from 'fp-ts/lib/Either.js'
import type * as t from 'io-ts'
import type { LedgerKey } from './records.js'
import { isSignedBy, keyIdOf, KeyStatement, readPublicKey, type Signed } from './signature.js'

/** The endorsements of a key back to the first one, newest first. */
const endorsementsOf = ({ endorsement, earlier }: LedgerKey): ReadonlyArray<Signed> =>
  endorsement === null ? [] : [endorsement, ...earlier]

/** Whether a trusted key vouches for this one, or for one that does, over however many rotations. */
export function isVouchedFor(key: LedgerKey, trusted: ReadonlyArray<KeyObject>): boolean {
  let { publicKey } = key
  const links = endorsementsOf(key)
  for (const [index, link] of links.entries()) {
    const statement = statementOf(link)
    if (statement === null || statement.publicKey !== publicKey || statement.key !== idOf(publicKey)) return false
    const { by } = statement
    const voucher = trusted.find((each) => keyIdOf(each) === by)
    if (voucher !== undefined) return isSignedBy(link, voucher)
    // Not known here: then the next one must say who it is, and so on back to one that is.
    const before = statementOf(links[index + 1])
    const named = before === null ? E.left('') : readPublicKey(before.publicKey)
    if (before === null || E.isLeft(named) || keyIdOf(named.right) !== by || !isSignedBy(link, named.right))
      return false
    publicKey = before.publicKey
  }
  return false
}

/**
 * A key with its endorsements back to the first one, as far as they are known.
 * @param keyBefore what else is known of a key, by its id
 */
export function withLineage(key: LedgerKey, keyBefore: (id: string) => LedgerKey | undefined): LedgerKey {
  const links: Signed[] = []
  const seen = new Set<string>()
  for (let next: LedgerKey | undefined = key; next !== undefined;) {
    links.push(...endorsementsOf(next))
    const by = statementOf(links.at(-1))?.by
    next = by === undefined || seen.has(by) ? undefined : keyBefore(by)
    if (by !== undefined) seen.add(by)
  }
  const [endorsement = null, ...earlier] = links
  return { publicKey: key.publicKey, endorsement, earlier }
}

const idOf = (publicKey: string): string | null => {
  const key = readPublicKey(publicKey)
  return E.isRight(key) ? keyIdOf(key.right) : null
}

function statementOf(signed: Signed | undefined): t.TypeOf<typeof KeyStatement> | null {
  if (signed === undefined) return null
  try {
    const decoded = KeyStatement.decode(JSON.parse(signed.statement))
    return E.isRight(decoded) ? decoded.right : null
  } catch {
    return null
  }
}
