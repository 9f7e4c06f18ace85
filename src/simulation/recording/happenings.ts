import type { World } from './chapter.js'
import type { MediaServer } from './mediaServer.js'

export interface Happening {
  /** Milliseconds after the start. */
  readonly at: number
  readonly happen: () => void
}

const quietAtStartMs = 70_000
const spacingMs = 90_000

/** What goes wrong, or is asked for, in the course of a chapter: one thing about every minute and a half. */
export function happenings(world: World): ReadonlyArray<Happening> {
  const { random, options } = world
  const list: Happening[] = []
  const kinds = [leak, crash, falseAlarm, drain, operator, leak, busy, maintenance, slowStandby] as const
  for (let at = quietAtStartMs, turn = 0; at < options.minutes * 60_000; at += spacingMs, turn += 1) {
    const kind = kinds[turn % kinds.length] ?? leak
    const jitter = random.between(0, 20_000)
    list.push({ at: at + jitter, happen: () => kind(world) })
  }
  return list
}

/** A server that carries streams and is well; the one with the most streams as often as not. */
function aBusyServer(world: World): MediaServer | null {
  const well = world.servers.filter(({ isAlive, trouble }) => isAlive && trouble === null)
  const carrying = well.filter(({ id }) => world.streams.some((name) => primaryOf(world, name) === id))
  const [first, ...more] = carrying
  return first === undefined ? (well[0] ?? null) : world.random.pick([first, ...more])
}

const primaryOf = (world: World, stream: string): string | undefined => world.actors.stream(stream).route?.primary.id

function leak(world: World): void {
  const server = aBusyServer(world)
  if (server !== null) {
    server.trouble = { type: 'leak', since: world.agenda.now, untilFullMs: world.random.between(30_000, 60_000) }
  }
}

function crash(world: World): void {
  const server = aBusyServer(world)
  if (server !== null) world.die(server, 10_000)
}

/** Memory that grows, and is given back in time. */
function falseAlarm(world: World): void {
  leakFor(world, world.random.between(18_000, 26_000))
}

function leakFor(world: World, ms: number): void {
  const server = aBusyServer(world)
  if (server === null) return
  server.trouble = { type: 'leak', since: world.agenda.now, untilFullMs: 40_000 }
  world.agenda.plan(world.agenda.now + ms, () => (server.trouble = null))
}

function busy(world: World): void {
  const server = aBusyServer(world)
  if (server === null) return
  server.trouble = { type: 'busy', since: world.agenda.now, rampMs: 8_000 }
  world.agenda.plan(world.agenda.now + 25_000, () => (server.trouble = null))
}

function drain(world: World): void {
  const server = aBusyServer(world)
  if (server === null) return
  world.tellServer(server, { type: 'DrainRequested', data: { by: 'operator', bootId: null } })
  world.agenda.plan(world.agenda.now + 45_000, () =>
    world.tellServer(server, { type: 'DrainCancelled', data: { by: 'operator', bootId: null } }),
  )
}

const operator = (world: World): void => ask(world, 'operator')
const maintenance = (world: World): void => ask(world, 'maintenance')

function ask(world: World, cause: 'operator' | 'maintenance'): void {
  const stream = world.random.pick([world.streams[0] ?? '', ...world.streams.slice(1)])
  const server = primaryOf(world, stream)
  if (server === undefined) return
  world.tellStream(stream, {
    type: 'HandoverRequested',
    data: { cause, server, reference: null, target: null, requestedBy: cause },
  })
}

/** The standby of a stream is slow, so that the operator's handover has to look for another one. */
function slowStandby(world: World): void {
  world.slowOrders += 1
  operator(world)
}
