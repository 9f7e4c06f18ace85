import { catalogue } from '../../src/events/index.js'

it('names no decision twice: its schema version is found by its name alone', () => {
  const names: ReadonlyArray<string> = Object.values(catalogue)
    .flat()
    .filter(({ kind }) => kind === 'decision')
    .map(({ type }) => type)
  expect(names.length).toBeGreaterThan(10)
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([])
})
