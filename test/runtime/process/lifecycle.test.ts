import { EventEmitter } from 'node:events'
import { untilAskedToStop } from '../../../src/runtime/process/lifecycle.js'

class FakeProcess extends EventEmitter {
  readonly exits: number[] = []
  exit(status: number): void {
    this.exits.push(status)
  }
}

describe('the end of a process', () => {
  let self: FakeProcess
  let lines: string[]
  let nowMs: number

  const wait = () => {
    const say = (message: string) => void lines.push(message)
    return untilAskedToStop({ info: say, warn: say }, self, () => nowMs)
  }

  beforeEach(() => {
    self = new FakeProcess()
    lines = []
    nowMs = 1_000
  })

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'])('is asked for by %s', async (signal) => {
    const { asked } = wait()
    self.emit(signal, signal)
    expect(await asked).toBe(0)
    expect(lines).toEqual([`${signal}: closing; a second signal ends it at once`])
  })

  it('is asked for by the end of the parent', async () => {
    const { asked } = wait()
    self.emit('disconnect')
    expect(await asked).toBe(0)
    expect(lines).toEqual(['the process that started this one is gone: closing'])
  })

  it('comes at once with a second signal', () => {
    wait()
    self.emit('SIGINT', 'SIGINT')
    nowMs += 600
    self.emit('SIGINT', 'SIGINT')
    expect(self.exits).toEqual([130])
  })

  it('comes in order when one Ctrl-C arrives twice', () => {
    wait()
    self.emit('SIGINT', 'SIGINT')
    nowMs += 20
    self.emit('SIGINT', 'SIGINT')
    expect(self.exits).toEqual([])
  })

  it('is nobody’s business any more once that is released', () => {
    wait().release()
    self.emit('SIGINT', 'SIGINT')
    expect({ lines, listeners: self.eventNames() }).toEqual({ lines: [], listeners: [] })
  })
})
