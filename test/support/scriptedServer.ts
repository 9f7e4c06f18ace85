import * as E from 'fp-ts/lib/Either.js'
import { derivedId, type ServerRef } from '../../src/events/index.js'
import { Command, subjects, type Assignment, type Task, type Transport } from '../../src/messaging/index.js'

export interface ScriptedServer {
  readonly ref: ServerRef
  readonly bootId: string
  /** Every assignment it was given, newest last. */
  readonly assignments: ReadonlyArray<Assignment>
  /** Number of its newest segment; tests move it. */
  live: number
  /** Tasks of these types are left undone. */
  readonly mute: Set<Task['type']>
  readonly close: () => Promise<void>
}

const stitch = (live: number) => ({
  first: live - 15,
  last: live,
  verified: 16,
  copied: 0,
  different: 0,
  unverified: 0,
  initIdentical: true,
  hashes: [],
})

/** A media server as the control plane sees it: takes assignments, does tasks at once, beats; no media. */
export async function scriptedServer(transport: Transport, id: string, url: string): Promise<ScriptedServer> {
  const bootId = `${id}-boot`
  const assignments: Assignment[] = []
  const done = new Set<string>()
  const mute = new Set<Task['type']>()
  let beats = 0
  const server = { ref: { id, url }, bootId, assignments, live: 1_000, mute, close }

  const report = async (stream: string, type: string, order: string, data: object): Promise<void> => {
    const eventId = derivedId(1, id, type, order)
    await transport.publish(subjects.stream(stream), { id: eventId, occurredAt: 1, type, data }, { id: eventId })
  }
  const perform = async (stream: string, task: Task): Promise<void> => {
    if (mute.has(task.type) || done.has(task.order)) return
    done.add(task.order)
    const { order } = task
    const base = { order, server: id, elapsedMs: 1 }
    switch (task.type) {
      case 'activate':
        await report(stream, 'StandbyActivated', order, { ...base, liveNumber: server.live })
        return report(stream, 'BufferStitched', order, {
          ...base,
          result: stitch(server.live),
          liveNumber: server.live,
          primaryLiveNumber: server.live,
        })
      case 'synchronize':
        return report(stream, 'BufferSynchronized', order, { ...base, result: stitch(server.live) })
      case 'cutover': {
        const { epoch, cutover } = task
        return report(stream, 'CutoverReached', order, { epoch, server: id, number: cutover, reachedAt: 1 })
      }
      case 'drain':
        return report(stream, 'PrimaryDrained', order, {
          epoch: task.epoch,
          server: id,
          requestsServed: 0,
          forced: false,
          elapsedMs: 1,
        })
    }
  }
  const responder = transport.respond(subjects.command(id), async (data) => {
    const command = Command.decode(data)
    if (E.isLeft(command) || command.right.type !== 'assign') return { type: 'refused', reason: 'not an assignment' }
    const { assignment } = command.right
    assignments.push(assignment)
    for (const task of assignment.tasks) await perform(assignment.stream, task)
    return { type: 'done' }
  })
  const heart = setInterval(() => {
    transport.broadcast(subjects.heartbeat(id), { server: id, bootId, seq: (beats += 1), sentAt: Date.now(), url })
  }, 100)
  async function close(): Promise<void> {
    clearInterval(heart)
    await responder.close()
  }

  const joined = { server: id, bootId, url, memoryLimitBytes: null, capacityStreams: 8, startedAt: 1, location: null }
  const eventId = derivedId(1, id, 'joined')
  await transport.publish(
    subjects.health(id),
    { id: eventId, occurredAt: 1, type: 'ServerJoined', data: joined },
    { id: eventId },
  )
  return server
}
