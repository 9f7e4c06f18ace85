import { lineLogger, withFields } from '../../../src/runtime/process/logger.js'

const collected = () => {
  const lines: string[] = []
  const logger = lineLogger({ part: 'media s1', write: (line) => lines.push(line), now: () => Date.UTC(2026, 0, 2) })
  return { lines, logger }
}

describe('a log line', () => {
  it('has time, level and part', () => {
    const { lines, logger } = collected()
    logger.warn('it is late')
    expect(lines).toEqual(['2026-01-02T00:00:00.000Z warn  media s1  it is late\n'])
  })

  it('is one line whatever the message holds', () => {
    const { lines, logger } = collected()
    logger.error('first\n  second\n')
    expect(lines).toEqual(['2026-01-02T00:00:00.000Z error media s1  first | second\n'])
  })

  it('carries fields behind the message, and errors as what they say', () => {
    const { lines, logger } = collected()
    withFields(logger).info({ server: 's1', gapMs: 4, error: new Error('no') }, 'went on')
    expect(lines).toEqual(['2026-01-02T00:00:00.000Z info  media s1  went on server=s1 gapMs=4 error=no\n'])
  })
})
