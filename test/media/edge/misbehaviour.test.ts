import { connect as connectTo } from 'node:net'
import { WebSocket } from 'ws'
import { createNoticeBoard } from '../../../src/media/edge/index.js'
import { subjects } from '../../../src/messaging/index.js'
import { waitFor } from '../../support/waitFor.js'
import { routeOf } from '../support/scripted.js'
import { answerOf, begin, connect, end, viewers, world } from '../support/viewers.js'

afterEach(end)

describe('viewers that do not behave', () => {
  it.each([
    ['no JSON', '{'],
    ['an unknown type', '{"type":"dance"}'],
    ['a hello without a session', '{"type":"hello","stream":"demo"}'],
    [
      'a session that is no name',
      { type: 'hello', session: '../x', stream: 'demo', epochKnown: null, agent: '', ticket: null },
    ],
  ])('are told what was wrong with %s, and the edge lives on', async (_, message) => {
    await begin()
    const viewer = await connect(null)
    viewer.say(message)
    await waitFor(() => viewer.heard.length === 1)
    expect(viewer.heard[0]?.type).toBe('refused')
    expect(world.deadLetters).toHaveLength(1)
    viewer.say({ type: 'hello', session: 'viewer-1', stream: 'demo', epochKnown: null, agent: 'test', ticket: null })
    await waitFor(() => viewer.heard[1]?.type === 'welcome')
  })

  it('are shown out when they speak before they say hello, or of another stream', async () => {
    await begin()
    const silent = await connect(null)
    silent.say({ type: 'bye', reason: '', totals: null })
    const other = await connect(null)
    other.say({ type: 'hello', session: 'viewer-1', stream: 'other', epochKnown: null, agent: '', ticket: null })
    for (const { socket, heard } of [silent, other]) {
      await waitFor(() => socket.readyState === WebSocket.CLOSED)
      expect(heard).toMatchObject([{ type: 'refused' }])
    }
    expect(world.facts).toEqual([])
  })

  it('are shown out when they say nothing, too much at once, or too often', async () => {
    await begin({ helloMsMax: 30 })
    const mute = await connect(null)
    await waitFor(() => mute.socket.readyState === WebSocket.CLOSED)
    const loud = await connect('viewer-1')
    loud.say('x'.repeat(100_000))
    await waitFor(() => loud.socket.readyState === WebSocket.CLOSED)
    const chatty = await connect('viewer-2')
    for (let count = 0; count < 200; count += 1) chatty.say({ type: 'stalled', number: 1, stallMs: 1 })
    await waitFor(() => chatty.socket.readyState === WebSocket.CLOSED)
    expect(world.of('ClientStalled').length).toBeLessThan(100)
  })

  it('are sent elsewhere when the edge is full', async () => {
    await begin({ sessionsMax: 1 })
    await connect('viewer-1')
    const late = await connect(null)
    await waitFor(() => late.socket.readyState === WebSocket.CLOSED)
    expect(late.heard).toMatchObject([{ type: 'refused', reason: expect.stringContaining('another server') }])
    expect(world.edge.viewers()).toBe(1)
  })

  it('get a 404 for a path that is no channel', async () => {
    await begin()
    const socket = new WebSocket(`${world.url}/other`)
    viewers.push(socket)
    const error = await new Promise<Error>((resolve) => socket.once('error', resolve))
    expect(error.message).toContain('404')
  })
})

describe('the notice board', () => {
  it('takes down only what is a notice about that stream', async () => {
    await begin()
    const invalid: string[] = []
    const board = createNoticeBoard({
      transport: world.transport,
      onInvalid: (_subject, reason) => void invalid.push(reason),
    })
    world.transport.broadcast(subjects.notice('demo'), { nonsense: true })
    world.transport.broadcast(subjects.notice('other'), answerOf(routeOf()))
    world.transport.broadcast(subjects.notice('demo'), {
      ...answerOf(routeOf()),
      notice: { payload: '{', signature: '', keyId: '' },
    })
    world.transport.broadcast('segue.notice.$demo', answerOf(routeOf()))
    expect(board.newest('demo')).toBeNull()
    expect(board.newest('other')).toBeNull()
    await waitFor(() => invalid.length === 4)
    expect(await board.find('demo')).toBeNull()
  })

  it('are let go of when they ask for another channel and keep their half of the connection', async () => {
    await begin()
    const { port } = new URL(world.url)
    const socket = connectTo({ port: Number(port), host: '127.0.0.1', allowHalfOpen: true })
    let isGone = false
    let heard = ''
    socket
      .on('error', () => (isGone = true))
      .on('close', () => (isGone = true))
      .on('data', (data) => (heard += data.toString()))
    socket.write('GET /elsewhere HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
    await waitFor(() => heard.startsWith('HTTP/1.1 404'))
    // Only a connection that is no more refuses what is written.
    await waitFor(() => {
      if (!isGone) socket.write('still here')
      return isGone
    })
    expect(isGone).toBe(true)
  })
})
