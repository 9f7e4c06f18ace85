import { existsSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * The compiled file that stands beside a module, for a thread to run. Node runs compiled code only, so a program that runs
 * from TypeScript sources (the tests) uses the file of the last build. Undefined where there is none.
 *
 * @param module the module's `import.meta.url`
 */
export function compiledFile(module: string, name: string): string | undefined {
  const here = fileURLToPath(module)
  const folder = dirname(here)
  const at = here.endsWith('.ts') ? `${folder}${sep}`.lastIndexOf(`${sep}src${sep}`) : -1
  const file = join(at === -1 ? folder : `${folder.slice(0, at)}${sep}dist${folder.slice(at + 'src'.length + 1)}`, name)
  return existsSync(file) ? file : undefined
}
