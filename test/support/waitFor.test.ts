import { waitFor } from './waitFor.js'

describe('waitFor', () => {
  it('resolves to the first truthy value', async () => {
    let asked = 0
    const value = await waitFor(() => (++asked === 3 ? 'ready' : undefined), { everyMs: 1 })
    expect(value).toBe('ready')
    expect(asked).toBe(3)
  })

  it('treats a throwing condition as not yet', async () => {
    let asked = 0
    const connected = (): boolean => {
      if (++asked < 2) throw new Error('refused')
      return true
    }
    await expect(waitFor(connected, { everyMs: 1 })).resolves.toBe(true)
  })

  it('says what it waited for and why it did not happen', async () => {
    const refused = (): boolean => {
      throw new Error('refused')
    }
    await expect(waitFor(refused, { timeoutMs: 5, everyMs: 1, describe: 'the server' })).rejects.toThrow(
      'Timed out after 5 ms waiting for the server (last error: refused)',
    )
  })

  it('asks for the description only when it fails', async () => {
    let seen = 0
    const neverTen = () => ++seen < 0
    await expect(
      waitFor(neverTen, { timeoutMs: 5, everyMs: 1, describe: () => `ten (saw ${seen > 0})` }),
    ).rejects.toThrow('waiting for ten (saw true)')
  })
})
