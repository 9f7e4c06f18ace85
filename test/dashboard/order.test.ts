import { orderHandover } from '../../src/dashboard/order.js'

describe('an order to hand over from the page', () => {
  it('says nothing when it is recorded', async () => {
    const asked: unknown[] = []
    const ask = (...request: unknown[]) => {
      asked.push(request)
      return Promise.resolve(Response.json({ recorded: 'e1' }, { status: 202 }))
    }
    expect(await orderHandover('main', ask)).toBeNull()
    expect(asked).toMatchObject([['/api/streams/main/handover', { method: 'POST', body: '{"by":"dashboard"}' }]])
  })

  it.each([
    ['that is refused', () => Promise.resolve(Response.json({ message: 'busy' }, { status: 503 })), 'busy'],
    ['that a gateway refuses', () => Promise.resolve(new Response('<p>', { status: 502 })), 'status 502'],
    ['that nobody answers', () => Promise.reject(new TypeError('fetch failed')), 'the control plane does not answer'],
  ])('%s says why', async (_, ask, why) => {
    expect(await orderHandover('main', ask)).toBe(`main is not handed over: ${why}`)
  })
})
