import { createRouteBook, type RouteBook } from '../../../src/media/origin/index.js'
import { encode, bufferOf, refOf, routeOf } from '../support/scripted.js'
import { startOrigin } from '../support/origins.js'

const routes = [
  routeOf({ primary: refOf('a'), standby: refOf('b') }),
  routeOf({ epoch: 2, cutover: 100, primary: refOf('b'), standby: refOf('c'), previous: refOf('a') }),
  routeOf({ epoch: 3, cutover: 110, primary: refOf('c'), standby: null, previous: refOf('b') }),
]

const bookOf = (server: string): RouteBook => {
  const book = createRouteBook(server)
  for (const route of routes) book.accept(route)
  return book
}

describe('after two handovers, a number of the epoch between them', () => {
  it('is fenced on the server that was left at its beginning', () => {
    expect(bookOf('a').verdict(105)).toMatchObject({ _tag: 'Fenced', from: 100, route: { epoch: 3 } })
    expect(bookOf('a').verdict(115)).toMatchObject({ _tag: 'Fenced', from: 100 })
    expect(bookOf('a').verdict(99)).toEqual({ _tag: 'Serve', epoch: 1 })
  })

  it('is served by the primary of that epoch, up to the next cut-over', () => {
    expect(bookOf('b').verdict(105)).toEqual({ _tag: 'Serve', epoch: 2 })
    expect(bookOf('b').verdict(110)).toMatchObject({ _tag: 'Fenced', from: 110 })
  })

  it('is served by the present primary, which holds verified copies', () => {
    expect(bookOf('c').verdict(105)).toEqual({ _tag: 'Serve', epoch: 2 })
  })

  it('is served again by a server that has come back as standby', () => {
    const book = bookOf('a')
    book.accept(routeOf({ epoch: 3, cutover: 110, primary: refOf('c'), standby: refOf('a'), sequence: 2 }))
    expect(book.verdict(105)).toEqual({ _tag: 'Serve', epoch: 2 })
  })

  it('is not in the playlist of the server that was left', async () => {
    const origin = await startOrigin({ id: 'a', buffer: bufferOf(95, 105) })
    for (const route of routes) origin.routes.accept(route)
    encode(origin.buffer, 106)
    const playlist = await (await origin.get('/streams/demo/video.m3u8')).text()
    expect(playlist).toContain('video/99.m4s')
    expect(playlist).not.toContain('video/100.m4s')
    expect((await origin.get('/streams/demo/video/105.m4s')).status).toBe(421)
    await origin.close()
  })
})
