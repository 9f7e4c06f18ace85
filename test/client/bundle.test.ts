import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

/** What a page loads that uses these names of the SDK. */
const bundleOf = async (names: string): Promise<{ readonly bytes: number; readonly inputs: ReadonlyArray<string> }> => {
  const result = await build({
    stdin: { contents: `export { ${names} } from './src/client/index.ts'`, resolveDir: process.cwd(), loader: 'ts' },
    ...{ bundle: true, format: 'esm', target: 'es2022', minify: true, write: false, metafile: true },
  })
  const [file] = result.outputFiles
  return { bytes: gzipSync(file?.contents ?? '', { level: 9 }).length, inputs: Object.keys(result.metafile.inputs) }
}

describe('the SDK in a page', () => {
  it('needs nothing but its own folder, and leaves out what is not used', async () => {
    const { inputs } = await bundleOf('createPlayerSession, hlsConfig')
    const others = inputs.filter((input) => !input.startsWith('src/client/') && input !== '<stdin>')
    expect(others).toEqual([])
    const player = await bundleOf('latencyFor')
    expect(player.bytes).toBeLessThan(600)
  })

  it('is small', async () => {
    const session = await bundleOf('createPlayerSession')
    expect(session.bytes).toBeLessThan(15 * 1_024)
    const withHls = await bundleOf('createPlayerSession, hlsConfig')
    expect(withHls.bytes - session.bytes).toBeLessThan(1_024)
  })
})
