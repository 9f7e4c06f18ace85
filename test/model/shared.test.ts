import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { assessShared, emptyWindow, handWeights, observeShared, type FeatureWindow } from '../../src/model/index.js'
import { goodPath, policy, sampleOf } from './support.js'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** A server's life in samples, as an actor lives it. */
function live(samples: number): { readonly newest: FeatureWindow; readonly passed: ReadonlyArray<WeakRef<object>> } {
  const passed: WeakRef<object>[] = []
  let newest = emptyWindow
  for (let seq = 0; seq < samples; seq += 1) {
    newest = observeShared(newest, sampleOf({ seq }), goodPath)
    assessShared(newest, handWeights, policy)
    passed.push(new WeakRef(newest))
  }
  return { newest, passed: passed.slice(0, -1) }
}

describe('what is shared between rules that judge the same sample', () => {
  it('does not keep the past of a server', async () => {
    const { newest, passed } = live(200)
    // References that were just made are held until the turn of the event loop is over.
    await new Promise((resolve) => setImmediate(resolve))
    collectGarbage()
    expect(passed.filter((window) => window.deref() !== undefined).length).toBeLessThan(3)
    expect(newest.entries).toHaveLength(60)
  })
})
