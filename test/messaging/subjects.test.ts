import { subjects } from '../../src/messaging/index.js'

describe('subjects', () => {
  it.each(['', 'a b', 'a.b', '*', '>', 'a\r\nPUB x 0', 'a'.repeat(65)])('are made of no %j', (name) => {
    const made = Object.values(subjects).filter((subject) => typeof subject === 'function')
    expect(made.length).toBeGreaterThan(5)
    for (const subject of made) expect(() => subject(name)).toThrow(/is no name of a server, stream or session/)
  })

  it('are made of names', () => {
    expect(subjects.route('main-1_b')).toBe('segue.route.main-1_b')
  })
})
