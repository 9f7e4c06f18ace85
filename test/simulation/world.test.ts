import { Network } from '../../src/simulation/world/network.js'
import { SimulatedProcess } from '../../src/simulation/world/process.js'
import { Random } from '../../src/simulation/world/random.js'
import { VirtualTime } from '../../src/simulation/world/virtualTime.js'

const never = (): boolean => false

describe('virtual time', () => {
  it('goes from event to event, those of one instant in the order in which they were planned', async () => {
    const time = new VirtualTime(1_000)
    const seen: string[] = []
    time.after(20, () => seen.push(`late at ${time.now()}`))
    time.after(5, () => seen.push('first'))
    time.after(5, () => seen.push('second'))
    time.after(5, () => seen.push('cancelled'))()
    await time.run(2_000, never)
    expect(seen).toEqual(['first', 'second', 'late at 1020'])
    expect(time.now()).toBe(2_000)
  })

  it('keeps to the order however much was called off', async () => {
    const time = new VirtualTime(0)
    const seen: number[] = []
    const expected = Array.from({ length: 300 }, (_, index) => (index * 37) % 300).filter((at) => at % 3 === 0)
    for (let index = 0; index < 300; index += 1) {
      const at = (index * 37) % 300
      const cancel = time.after(at, () => seen.push(at))
      if (at % 3 !== 0) time.after(at / 2, cancel)
    }
    await time.run(1_000, never)
    expect(seen).toEqual(expected.toSorted((a, b) => a - b))
  })

  it('lets every promise settle before the next event', async () => {
    const time = new VirtualTime(0)
    const seen: string[] = []
    time.after(1, () => {
      time.stir()
      const deep = async (depth: number): Promise<void> => (depth === 0 ? undefined : deep(depth - 1))
      void deep(200).then(() => seen.push('settled'))
    })
    time.after(1, () => seen.push('next event'))
    await time.run(10, never)
    expect(seen).toEqual(['settled', 'next event'])
  })
})

describe('a simulated process', () => {
  it('keeps what comes while it hangs, in order, and forgets it when it dies', async () => {
    const time = new VirtualTime(0)
    const process = new SimulatedProcess('p', time)
    const seen: string[] = []
    process.start()
    process.after(10, () => seen.push('timer'))
    const message = process.guard(() => seen.push('message'))
    time.after(5, () => process.hang())
    time.after(20, message)
    time.after(30, () => process.resume((hungMs) => seen.push(`awake after ${hungMs}`)))
    time.after(40, () => process.crash())
    time.after(50, message)
    await time.run(100, never)
    expect(seen).toEqual(['awake after 25', 'timer', 'message'])
  })
})

describe('a simulated process that wakes', () => {
  it('is done with what waited before the next event', async () => {
    const time = new VirtualTime(0)
    const process = new SimulatedProcess('p', time)
    const seen: string[] = []
    process.start()
    process.after(10, () => void Promise.resolve().then(() => seen.push('settled')))
    time.after(5, () => process.hang())
    time.after(30, () => process.resume())
    time.after(30, () => seen.push('next event'))
    await time.run(100, never)
    expect(seen).toEqual(['settled', 'next event'])
  })
})

describe('a simulated network', () => {
  it('holds up a lasting connection while it is cut, and then delivers in order', async () => {
    const time = new VirtualTime(0)
    const network = new Network(time, new Random('test'))
    const seen: number[] = []
    const open = (): boolean => true
    network.cut('a', 'b')
    for (const number of [1, 2, 3]) network.ordered('lane', 'a', 'b', open, () => seen.push(number))
    time.after(150, () => network.mend('a', 'b'))
    time.after(160, () => network.ordered('lane', 'a', 'b', open, () => seen.push(4)))
    await time.run(100, never)
    expect(seen).toEqual([])
    await time.run(1_000, never)
    expect(seen).toEqual([1, 2, 3, 4])
  })

  it('can be cut one way only', () => {
    const network = new Network(new VirtualTime(0), new Random('test'))
    network.cut('a', '*')
    expect(network.passes('a', 'b')).toBe(false)
    expect(network.passes('b', 'a')).toBe(true)
    expect(network.connects('a', 'b')).toBe(false)
  })
})

describe('seeded randomness', () => {
  it('is the same for the same seed and spread evenly', () => {
    const drawn = (seed: string) => {
      const random = new Random(seed)
      return Array.from({ length: 10_000 }, () => random.next())
    }
    expect(drawn('x')).toEqual(drawn('x'))
    expect(drawn('x')).not.toEqual(drawn('y'))
    const mean = drawn('x').reduce((sum, value) => sum + value, 0) / 10_000
    expect(mean).toBeGreaterThan(0.48)
    expect(mean).toBeLessThan(0.52)
  })
})
