import { Screen } from '../../../../src/runtime/fleet/terminal/screen.js'

const terminal = () => {
  const writes: string[] = []
  return { columns: 40, rows: 10, write: (text: string) => writes.push(text), writes }
}

describe('a screen', () => {
  it('overwrites the picture before in one write, without clearing first', () => {
    const output = terminal()
    const screen = new Screen(output)
    screen.draw(['one', 'two'])
    screen.draw(['three'])
    expect(output.writes.slice(1)).toEqual([
      '\u001b[Hone\u001b[K\r\ntwo\u001b[K\u001b[J',
      '\u001b[Hthree\u001b[K\u001b[J',
    ])
  })

  it('writes nothing when nothing has changed', () => {
    const output = terminal()
    const screen = new Screen(output)
    screen.draw(['one'])
    const before = output.writes.length
    screen.draw(['one'])
    expect(output.writes).toHaveLength(before)
  })

  it('hides the cursor while it draws, and gives it back at the end, once', () => {
    const output = terminal()
    const screen = new Screen(output)
    screen.draw([])
    expect(output.writes[0]).toContain('\u001b[?25l')
    screen.close()
    screen.close()
    expect(output.writes.filter((text) => text.includes('\u001b[?25h'))).toHaveLength(1)
  })

  it('leaves a terminal alone on which it never drew', () => {
    const output = terminal()
    new Screen(output).close()
    expect(output.writes).toEqual([])
  })
})
