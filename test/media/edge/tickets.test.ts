import { createTicketDesk } from '../../../src/media/edge/tickets.js'
import { streamTicket, viewerTicket } from '../../../src/runtime/control/tickets.js'
import { waitFor } from '../../support/waitFor.js'
import { controlKey as key, strangersKey } from '../../support/controlKey.js'
import { routeOf } from '../support/scripted.js'
import { answerOf, begin, connect, end } from '../support/viewers.js'

const now = 1_800_000_000_000
const desk = createTicketDesk((keyId) => (keyId === key.keyId ? key.publicKey : undefined))
const terms = { stream: 'demo', viewer: 'alice', issuerMs: now, personal: false }
const own = viewerTicket(key, 'demo', 'alice', now - 1_000, 60_000)

describe('a ticket', () => {
  it('is the same for all who ask within a minute', () => {
    expect(streamTicket(key, 'demo', now + 5)).toBe(streamTicket(key, 'demo', now))
    expect(streamTicket(key, 'other', now)).not.toEqual(streamTicket(key, 'demo', now))
    expect(streamTicket(key, 'demo', now + 60_000)).not.toEqual(streamTicket(key, 'demo', now))
    expect(desk.flawOf(streamTicket(key, 'demo', now), terms)).toBeNull()
  })

  test.each([
    ['of the viewer', own, terms, null],
    ['of the viewer, and only such are admitted', own, { ...terms, personal: true }, null],
    ['of nobody, where everybody is admitted', null, terms, null],
    ['of nobody, where only viewers with their own are admitted', null, { ...terms, personal: true }, 'missing'],
    ['for whoever asks, likewise', streamTicket(key, 'demo', now), { ...terms, personal: true }, 'missing'],
    ['of somebody else', own, { ...terms, viewer: 'mallory' }, 'other-viewer'],
    ['for another stream', own, { ...terms, stream: 'sports' }, 'other-stream'],
    ['that has expired by the clock of who issued it', own, { ...terms, issuerMs: now + 59_000 }, 'expired'],
    ['that was changed', { ...own, payload: own.payload.replace('alice', 'mallory') }, terms, 'unsigned'],
    [
      'of a stranger',
      { ...viewerTicket(strangersKey, 'demo', 'alice', now, 60_000), keyId: key.keyId },
      terms,
      'unsigned',
    ],
    ['signed with an unknown key', viewerTicket(strangersKey, 'demo', 'alice', now, 60_000), terms, 'unknown-key'],
    ['without a signature', { ...own, signature: '' }, terms, 'unsigned'],
  ])('%s', (_, ticket, asked, flaw) => {
    expect(desk.flawOf(ticket, asked)).toBe(flaw)
  })
})

describe('an edge that admits only viewers with a ticket of their own', () => {
  afterEach(end)

  it('says what is wrong with the ticket and hangs up; a good one is welcome', async () => {
    const world = await begin({ ticketsRequired: true })
    const route = routeOf()
    const notice = key.sign({ route, issuedAt: Date.now(), expiresAt: Date.now() + 60_000 })
    world.transport.broadcast('segue.notice.demo', { ...answerOf(route), notice, noticeKey: key.publicKey })
    const hello = { type: 'hello', session: 'alice', stream: 'demo', epochKnown: null, agent: 'test' }

    const stranger = await connect(null)
    stranger.say({ ...hello, ticket: null })
    await waitFor(() => stranger.socket.readyState === stranger.socket.CLOSED)
    expect(stranger.heard).toMatchObject([{ type: 'refused', ticket: 'missing' }])

    const alice = await connect(null)
    alice.say({ ...hello, ticket: viewerTicket(key, 'demo', 'alice', Date.now(), 60_000) })
    await waitFor(() => alice.heard.length === 2)
    expect(alice.heard.map(({ type }) => type)).toEqual(['welcome', 'notice'])
  })

  it('asks viewers to come again while it does not know the stream itself', async () => {
    await begin({ ticketsRequired: true })
    const alice = await connect(null)
    alice.say({ type: 'hello', session: 'alice', stream: 'demo', epochKnown: null, agent: 'test', ticket: own })
    await waitFor(() => alice.heard.length === 1)
    expect(alice.heard).toMatchObject([{ type: 'refused', ticket: null, reason: expect.stringContaining('try again') }])
  })
})
