import type { Transport } from '../../src/messaging/index.js'

/** What no transport sends anything to. */
export function describeRefusedSubjects(connect: () => Promise<Transport>): void {
  test.each([
    'segue.notice.a b',
    'segue.notice.a\r\nPUB x 0',
    'segue.notice.',
    'segue..a',
    'segue.notice.*',
    'segue.>',
    '',
  ])('refuses to send to %j, which is no subject', async (subject) => {
    const client = await connect()
    expect(() => client.broadcast(subject, {})).toThrow(RangeError)
    await expect(client.request(subject, {}, 100)).rejects.toThrow(RangeError)
    await expect(client.publish(subject, {}, { id: 'x' })).rejects.toThrow(RangeError)
    expect(client.state()).toBe('connected')
  })
}
