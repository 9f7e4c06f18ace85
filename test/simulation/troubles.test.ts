import type { EventIn } from '../../src/events/index.js'
import { Network } from '../../src/simulation/world/network.js'
import { SimulatedProcess } from '../../src/simulation/world/process.js'
import { Random } from '../../src/simulation/world/random.js'
import { Troubles } from '../../src/simulation/world/troubles.js'
import { VirtualTime } from '../../src/simulation/world/virtualTime.js'

const ref = (id: string) => ({ id, url: `http://${id}.sim` })
const event = (type: string, data: object) => ({ type, data }) as unknown as EventIn<'stream'>
const standby = (id: string) => event('StandbyAssigned', { server: ref(id) })
const filled = event('BufferSynchronized', {})

/** s1 carries `a`, s2 stands by with verified copies; s3 and s4 have no part in it. Nobody holds the number. */
function world() {
  const time = new VirtualTime(0)
  const servers = ['s1', 's2', 's3', 's4'].map((id) => {
    const process = new SimulatedProcess(id, time)
    process.start()
    return { id, process, stationOf: () => undefined }
  })
  const network = new Network(time, new Random('test'))
  const troubles = new Troubles({ nowMs: time.now, network, servers: () => servers, coldStandby: false })
  const tell = (...events: ReadonlyArray<EventIn<'stream'>>): void => {
    for (const each of events) troubles.onEvent('a', each)
  }
  tell(event('PlacementDecided', { primary: ref('s1') }), standby('s2'), filled)
  const excuse = (): string | null => troubles.excuse('v', 'a', null, 7)
  const later = (ms: number) => time.run(time.now() + ms, () => false)
  return { troubles, tell, excuse, later, process: (id: string) => servers.find((each) => each.id === id)?.process }
}

const excused = '2 of those who should have had it were impaired'

describe('a number that nobody can give to a viewer', () => {
  it('is excused when both of those who should have had it were impaired', () => {
    const { troubles, process, excuse } = world()
    troubles.impaired('s1')
    expect(excuse()).toBeNull()
    process('s2')?.crash()
    expect(excuse()).toBe(excused)
  })

  it('is not by servers that have no part in the stream, nor by standbys of other streams', () => {
    const { troubles, process, excuse } = world()
    process('s3')?.crash()
    process('s4')?.crash()
    troubles.impaired('s1')
    expect(excuse()).toBeNull()
  })

  it('is while the standby is being filled', () => {
    const { troubles, tell, excuse } = world()
    troubles.impaired('s1')
    tell(standby('s3'))
    expect(excuse()).toBe(excused)
  })

  it('is not by a filling that is done', () => {
    const { troubles, tell, excuse } = world()
    tell(standby('s3'), filled)
    troubles.impaired('s1')
    expect(excuse()).toBeNull()
  })

  it('is by who had a part until lately, and not by who had one long ago', async () => {
    const { troubles, tell, excuse, later } = world()
    tell(standby('s3'), filled)
    await later(15_000)
    troubles.impaired('s2')
    troubles.impaired('s1')
    expect(excuse()).toBe(excused)
    await later(6_000)
    troubles.impaired('s2')
    troubles.impaired('s1')
    expect(excuse()).toBeNull()
  })
})
