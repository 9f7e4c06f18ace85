import fc from 'fast-check'
import { AccessUnitParser } from '../../../src/media/feed/index.js'
import { clockTicks, unwrap33, wrap33 } from '../../../src/media/feed/ts/clock33.js'
import { readPesHeader, shiftClocks } from '../../../src/media/feed/ts/packet.js'
import { tablePackets } from '../../../src/media/feed/ts/tables.js'
import { unitOf } from '../support.js'

describe('The clocks of MPEG-TS packets', () => {
  it('shift by any amount, modulo 2^33, and back', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 31 - 1), fc.integer({ min: -(2 ** 30), max: 2 ** 30 }), (high, shift) => {
        const pts = (high * 4 + 3) % clockTicks
        const { packets } = unitOf('video', pts)
        const original = Buffer.from(packets)
        shiftClocks(packets, 0, shift * 1000)
        expect(readPesHeader(packets, 0)?.pts).toBe(wrap33(pts + shift * 1000))
        shiftClocks(packets, 0, -shift * 1000)
        expect(packets).toEqual(original)
      }),
    )
  })

  it('unwrap to the time nearest to a known one', () => {
    const near = 1_000 * clockTicks - 90
    expect(unwrap33(90, near)).toBe(1_000 * clockTicks + 90)
    expect(unwrap33(wrap33(near - 3600), near)).toBe(near - 3600)
  })
})

describe('AccessUnitParser', () => {
  const units = [unitOf('video', 9000, { keyFrame: true, packets: 5 }), unitOf('audio', 9600), unitOf('video', 12_600)]
  const stream = Buffer.concat([tablePackets(0, 1), ...units.map(({ packets }) => packets)])

  it('cuts a stream into frames, however the bytes arrive', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 600 }), (size) => {
        const parser = new AccessUnitParser()
        const found = []
        for (let at = 0; at < stream.length; at += size) found.push(...parser.push(stream.subarray(at, at + size)))
        expect(found).toEqual(units)
        expect(parser.sounds).toBe(1)
      }),
    )
  })

  it('finds its way back after garbage', () => {
    const parser = new AccessUnitParser()
    parser.push(Buffer.concat([stream.subarray(0, 188 * 2), Buffer.from('garbage')]))
    expect(parser.push(stream.subarray(188 * 2))).toEqual(units)
  })
})
