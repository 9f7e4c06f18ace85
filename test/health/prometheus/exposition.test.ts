import { readMetrics } from '../../../src/health/prometheus/exposition.js'

const read = (text: string) => readMetrics(text, new Set(['a', 'b'])).get('a')

describe('exposition format of Prometheus', () => {
  it('is read by name, with labels, exponents and times', () => {
    expect(read('# TYPE a gauge\na 1.5e+3\na{x="1",y="two"} -2 1700000000000\nb 7\nother 9\n')).toEqual([
      { labels: {}, value: 1_500 },
      { labels: { x: '1', y: 'two' }, value: -2 },
    ])
  })

  it('understands quotes, braces and escapes within labels', () => {
    expect(read('a{path="C:\\\\x \\"q\\" }",end="\\n"} 1')).toEqual([
      { labels: { path: 'C:\\x "q" }', end: '\n' }, value: 1 },
    ])
  })

  it.each(['a', 'a{', 'a{} ', 'a one', 'a NaN', 'a +Inf', ' a 1'])('passes over %j', (line) => {
    expect(read(`${line}\n`)).toBeUndefined()
  })
})
