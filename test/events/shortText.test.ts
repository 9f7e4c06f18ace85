import { shortText } from '../../src/events/index.js'

describe('a short text', () => {
  it.each([
    ['viewer', 'viewer'],
    ['abcdefgh', 'abcdefg'],
    ['abcdef😀h', 'abcdef😀'],
    ['😀'.repeat(9), '😀'.repeat(7)],
    ['a\ud83d', 'a\ufffd'],
    ['\ude00b', '\ufffdb'],
    ['', ''],
  ])('of %j is %j', (text, short) => {
    expect(shortText(text, 7)).toBe(short)
  })
})
