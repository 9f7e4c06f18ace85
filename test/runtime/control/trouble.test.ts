import { watchTrouble } from '../../../src/runtime/control/trouble.js'

function trouble() {
  let nowMs = 0
  return { ...watchTrouble(() => nowMs), pass: (ms: number) => void (nowMs += ms) }
}

test('a subject that fails for ten seconds while another is recorded has a fault of its own', () => {
  const { failed, recorded, pass } = trouble()
  expect(failed('one')).toBe(false)
  pass(9_999)
  recorded('other')
  expect(failed('one')).toBe(false)
  pass(1)
  expect(failed('one')).toBe(true)
})

test('while nothing is recorded, all wait however long it takes', () => {
  const { failed, recorded, pass } = trouble()
  recorded('other')
  pass(1)
  failed('one')
  pass(3_600_000)
  expect(failed('one')).toBe(false)
})

test('a subject that is recorded again is tried anew', () => {
  const { failed, recorded, pass } = trouble()
  failed('one')
  pass(20_000)
  recorded('one')
  expect(failed('one')).toBe(false)
})
