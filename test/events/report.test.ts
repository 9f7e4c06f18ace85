import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import { describeErrors } from '../../src/events/index.js'

const faultsOf = (value: unknown): string => {
  const decoded = t.type({ id: t.string }).decode(value)
  return E.isLeft(decoded) ? describeErrors(decoded.left) : 'none'
}

describe('what a codec did not like', () => {
  it('is told with its place and the beginning of the value', () => {
    expect(faultsOf({ id: 7 })).toBe('id: expected string, found 7')
    expect(faultsOf({})).toBe('id: expected string, found nothing')
    expect(faultsOf({ id: Array.from({ length: 99 }, () => 1) })).toMatch(/^id: expected string, found \[(1,)+\.\.\.$/)
  })

  it('is told of a value that is nested without end as well', () => {
    const deep: unknown = JSON.parse('['.repeat(100_000) + ']'.repeat(100_000))
    expect(faultsOf({ id: deep })).toBe('id: expected string, found what is nested too deeply to be shown')
  })
})
