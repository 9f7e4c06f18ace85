import { FeedAddresses } from '../../../src/media/encoder/addresses.js'

const [one, other, third] = ['http://a:1', 'http://b:1', 'http://c:1']

describe('FeedAddresses', () => {
  it('stays at the one address while the feed names no partner', () => {
    const addresses = new FeedAddresses(one)
    addresses.learn(one, null)
    addresses.failed(one)
    expect(addresses.present).toBe(one)
    expect(addresses.moveTo(other)).toBe(false)
  })

  it('goes to the partner and back when there is no answer', () => {
    const addresses = new FeedAddresses(one)
    addresses.learn(one, `${other}/`)
    addresses.failed(one)
    expect(addresses.present).toBe(`${other}/`)
    addresses.learn(`${other}/`, one)
    addresses.failed(`${other}/`)
    expect(addresses.present).toBe(one)
  })

  it('is not moved by an answer that failed elsewhere meanwhile', () => {
    const addresses = new FeedAddresses(one)
    addresses.learn(one, other)
    addresses.failed(one)
    addresses.failed(one)
    expect(addresses.present).toBe(other)
  })

  it('moves to where the stream was assigned if the feed is there, and knows the way back', () => {
    const addresses = new FeedAddresses(one)
    addresses.learn(one, other)
    expect(addresses.moveTo(third)).toBe(false)
    expect(addresses.moveTo(other)).toBe(true)
    expect(addresses.present).toBe(other)
    addresses.failed(other)
    expect(addresses.present).toBe(one)
  })

  it('does not take a feed that names itself for two', () => {
    const addresses = new FeedAddresses(one)
    addresses.learn(one, `${one}/`)
    addresses.failed(one)
    expect(addresses.present).toBe(one)
  })
})
