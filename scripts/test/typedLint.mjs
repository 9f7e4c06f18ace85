// Type check and lint in one process, which reads and checks the program once for both.
import { ESLint } from 'eslint'
import { join } from 'node:path'
import ts from 'typescript'

const root = process.cwd()
const program = readProgram(join(root, 'tsconfig.json'))
const typeErrors = ts.getPreEmitDiagnostics(program)
if (typeErrors.length > 0) console.log(describe(typeErrors))

const eslint = new ESLint({
  cwd: root,
  overrideConfig: {
    files: ['**/*.{ts,tsx}'],
    languageOptions: { parserOptions: { project: null, programs: [program] } },
  },
})
const results = await eslint.lintFiles(['.'])
const text = await (await eslint.loadFormatter('stylish')).format(results)
if (text !== '') console.log(text)

const failed = typeErrors.length > 0 || results.some(({ errorCount }) => errorCount > 0)
process.exitCode = failed ? 1 : 0

function readProgram(path) {
  const giveUp = (problem) => {
    throw new Error(describe([problem]))
  }
  const host = { ...ts.sys, onUnRecoverableConfigFileDiagnostic: giveUp }
  const { fileNames, options, errors } = ts.getParsedCommandLineOfConfigFile(path, undefined, host)
  // What could not be described to those who import the package is an error, too.
  const settings = { ...options, declaration: true }
  return ts.createProgram({ rootNames: fileNames, options: settings, configFileParsingDiagnostics: errors })
}

function describe(diagnostics) {
  return ts.formatDiagnostics(diagnostics, {
    getCanonicalFileName: (name) => name,
    getCurrentDirectory: () => root,
    getNewLine: () => '\n',
  })
}
