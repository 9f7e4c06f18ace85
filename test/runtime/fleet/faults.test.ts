import * as E from 'fp-ts/lib/Either.js'
import { parseFaults } from '../../../src/runtime/fleet/faults.js'

describe('the text of --fault', () => {
  it('names one fault and its time', () => {
    expect(parseFaults('leak@15')).toEqual(E.right([{ kind: 'leak', atS: 15 }]))
  })

  it('names several, which are put in the order of time', () => {
    expect(parseFaults('crash@30.5, cpu@20')).toEqual(
      E.right([
        { kind: 'cpu', atS: 20 },
        { kind: 'crash', atS: 30.5 },
      ]),
    )
  })

  it('may be "none"', () => {
    expect(parseFaults('none')).toEqual(E.right([]))
  })

  it.each(['leak', 'leak@', 'leak@-1', 'leak@1e9', 'fire@3', 'LEAK@3', 'leak@3s', 'leak@90000'])(
    'is refused when it is %s, and says how to write it',
    (text) => {
      expect(parseFaults(text)).toEqual(
        E.left(expect.stringContaining(`"${text}" is not a fault: write <kind>@<seconds>`)),
      )
    },
  )

  it('is refused when it ends in a comma or is empty', () => {
    expect(parseFaults('leak@3,')).toEqual(E.left(expect.stringContaining('an empty fault is not a fault')))
    expect(parseFaults('')).toEqual(E.left(expect.stringContaining('an empty fault is not a fault')))
  })

  it('is refused when "none" stands beside faults', () => {
    expect(parseFaults('none,leak@3')).toEqual(E.left('"none" stands alone: give faults or none, not both'))
  })
})
