import js from '@eslint/js'
import globals from 'globals'
import tseslint from 'typescript-eslint'

// Deciders, models and projections see the world through facts alone, so that a replay decides the same again.
// Stores, the actor host and the system's clock are the shell around them, and may touch the world.
const pureFolders = [
  'src/events/**/*.ts',
  'src/model/**/*.ts',
  'src/actors/*.ts',
  'src/actors/{server,stream,client}/**/*.ts',
  'src/projections/**/*.ts',
]
const shell = ['src/events/stores/**', 'src/actors/clock.ts']

const inject = 'breaks replay here: take it as an argument, or as part of a fact.'

const everywhere = [{ selector: 'TSEnumDeclaration', message: 'Use a union of string literals instead of an enum.' }]
const inSource = [
  ...everywhere,
  {
    selector: 'ExportDefaultDeclaration',
    message: 'Export by name: a default export has a different name everywhere.',
  },
]
const inPureSource = [
  ...inSource,
  { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: `The present time ${inject}` },
  { selector: "CallExpression[callee.name='Date']", message: `The present time ${inject}` },
  {
    selector: "CallExpression[callee.name='timeOrderedId'][arguments.length=1]",
    message: 'An id with a random part cannot be derived again by a replay: use derivedId.',
  },
]

const restrictedProperties = [
  ['Date', 'now'],
  ['performance', 'now'],
  ['Math', 'random'],
  ['crypto', 'randomUUID'],
  ['crypto', 'getRandomValues'],
  ['process', 'env'],
  ['process', 'hrtime'],
  ['globalThis', 'setTimeout'],
  ['globalThis', 'setInterval'],
  ['globalThis', 'setImmediate'],
].map(([object, property]) => ({ object, property, message: `${object}.${property} ${inject}` }))

const restrictedModules = [
  'timers',
  'timers/promises',
  'process',
  'child_process',
  'fs',
  'fs/promises',
  'net',
  'http',
  'os',
]
  .flatMap((name) => [name, `node:${name}`])
  .map((name) => ({ name, message: `${name} ${inject}` }))

const restrictedImports = [
  ...restrictedModules,
  ...['crypto', 'node:crypto'].map((name) => ({
    name,
    importNames: ['randomUUID', 'randomBytes', 'randomInt'],
    message: `Randomness ${inject}`,
  })),
  ...['perf_hooks', 'node:perf_hooks'].map((name) => ({ name, message: `The present time ${inject}` })),
]

export default tseslint.config(
  { ignores: ['dist/', 'coverage/', 'node_modules/', '.segue/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  {
    rules: {
      eqeqeq: 'error',
      'no-var': 'error',
      'prefer-const': 'error',
      'max-lines': ['warn', { max: 400 }],
    },
  },
  { files: ['**/*.{js,mjs,cjs}'], languageOptions: { globals: globals.node } },
  {
    files: ['src/dashboard/**/*.{js,mjs}', 'bench/players/{page,browser}.mjs', 'examples/players/**/*.{js,mjs}'],
    languageOptions: { globals: globals.browser },
  },
  {
    files: ['**/*.{ts,tsx}'],
    extends: [...tseslint.configs.strict, ...tseslint.configs.stylistic],
    languageOptions: { parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname } },
    rules: {
      'no-restricted-syntax': ['error', ...everywhere],
      // The compiler knows better which names exist.
      'no-undef': 'off',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-unnecessary-type-assertion': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true },
      ],
      // Both forms read well; ReadonlyArray<...> is clearer around long element types.
      '@typescript-eslint/array-type': 'off',
      '@typescript-eslint/consistent-type-definitions': 'off',
      '@typescript-eslint/consistent-indexed-object-style': 'off',
      '@typescript-eslint/no-empty-function': 'off',
      '@typescript-eslint/no-invalid-void-type': 'off',
    },
  },
  { files: ['src/**/*.{ts,tsx}'], rules: { 'no-restricted-syntax': ['error', ...inSource] } },
  {
    files: pureFolders,
    ignores: shell,
    rules: {
      'no-restricted-syntax': ['error', ...inPureSource],
      'no-restricted-properties': ['error', ...restrictedProperties],
      'no-restricted-globals': [
        'error',
        ...['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask'].map((name) => ({
          name,
          message: `${name} ${inject}`,
        })),
      ],
      'no-restricted-imports': ['error', { paths: restrictedImports }],
    },
  },
  // The one source of random ids; the rule above keeps the others from calling it without saying which randomness.
  { files: ['src/events/ids.ts'], rules: { 'no-restricted-imports': 'off' } },
  { files: ['test/**/*.ts'], languageOptions: { globals: globals.jest } },
)
