import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { filesBelow, readJson, readText } from './files.mjs'

// What a process or a thread begins with is bundled, with all that it imports: a program of Segue is 500 modules, and finding
// and reading each of them took four fifths of its start. See docs/adr/0050-bundled-programs.md.

/** Loaded as they are: one is native, the other reads files that lie beside its own. */
const external = ['better-sqlite3', '@eventstore/db-client']

const chunks = 'chunks'
const noticesFile = join(chunks, 'LICENSES.txt')
/** What packages in the older form of modules find in every module. */
const namesOfCommonJs = `
import { createRequire as requireOf } from 'node:module'
import { fileURLToPath as pathOf } from 'node:url'
const require = requireOf(import.meta.url), __filename = pathOf(import.meta.url), __dirname = pathOf(new URL('.', import.meta.url))
`.trim()

/** What stands for the URL of a module in its text. */
const placeOfModule = 'placeOfModule'
const keptMs = 24 * 3600_000

/** The sources, below src/, that a process or a thread begins with. */
export const programsOf = (sources) => sources.filter((file) => /^cli\/main\.ts$|\/(worker|\w+Worker)\.ts$/.test(file))

/** Whether a compiled file, below dist/, belongs to bundles and not to a source of its own. */
export const isOfBundles = (file) => file.startsWith(`${chunks}/`)

/**
 * Bundles the programs in dist/, over the files that were compiled from them alone.
 * @param {{ root: string, programs: readonly string[], compileFrom: (files: readonly string[], options: object) => Promise<{ metafile: object }> }} options
 *   `compileFrom`: esbuild's `build`, as it is used for single files, with further options
 */
export async function bundle({ root, programs, compileFrom }) {
  if (programs.length === 0) return
  const { metafile } = await compileFrom(programs, {
    ...{ bundle: true, splitting: true, chunkNames: `${chunks}/[name]-[hash]`, external, metafile: true },
    target: 'node20',
    banner: { js: namesOfCommonJs },
    plugins: [ownPlaces(root)],
  })
  removeOldChunks(root, new Set(Object.keys(metafile.outputs)))
  writeNotices(root, Object.keys(metafile.inputs))
}

/** Sources find files beside themselves by `import.meta.url`. Bundled, they look from where they would stand by themselves. */
const ownPlaces = (root) => ({
  name: 'own places',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]src[\\/].*\.ts$/ }, async ({ path }) => {
      const place = relative(join(root, 'src'), path).replaceAll('\\', '/').replace(/\.ts$/, '.js')
      const text = await readFile(path, 'utf8')
      if (place.startsWith('..') || !text.includes('import.meta.url')) return undefined
      // On the first line, so that all lines keep their numbers.
      const url = `const ${placeOfModule} = import.meta.url.replace(/(.*\\/dist\\/).*/, '$1${place}');`
      return { contents: `${url} ${text.replaceAll('import.meta.url', placeOfModule)}`, loader: 'ts' }
    })
  },
})

/** A fleet that runs while its sources are edited may still load a chunk of the build that it began with. */
function removeOldChunks(root, current) {
  const folder = join('dist', chunks)
  for (const name of filesBelow(join(root, folder))) {
    const file = join(folder, name)
    const age = Date.now() - statSync(join(root, file)).mtimeMs
    if (!current.has(file.replaceAll('\\', '/')) && age > keptMs) rmSync(join(root, file))
  }
}

/** Who passes the bundles on passes on the packages in them, and with them their licences. */
function writeNotices(root, inputs) {
  const packages = new Set(inputs.map((input) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1]))
  packages.delete(undefined)
  const notices = [...packages].sort().map((folder) => notice(join(root, folder)))
  const file = join(root, 'dist', noticesFile)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, notices.join(`\n${'-'.repeat(80)}\n\n`))
}

function notice(folder) {
  const { name, version, license, licenses } = readJson(join(folder, 'package.json')) ?? {}
  const files = readdirSync(folder).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file))
  const kind = license ?? licenses?.map(({ type }) => type).join(', ') ?? 'see its text'
  return `${[`${name} ${version} (${kind})`, ...files.map((file) => readText(join(folder, file)).trim())].join('\n\n')}\n`
}
