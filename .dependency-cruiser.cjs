// The import directions of the source folders: see docs/architecture.md.

/** A folder's files may import from these folders of src/ (and from their own) and from no others. */
const standsOn = {
  events: [],
  messaging: ['events'],
  model: ['events'],
  actors: ['events', 'messaging', 'model'],
  projections: ['events', 'messaging', 'model', 'actors'],
  media: ['events', 'messaging'],
  health: ['events', 'messaging'],
  client: ['events', 'messaging'],
  simulation: ['events', 'messaging', 'model', 'actors', 'projections', 'media', 'health', 'client', 'runtime'],
  runtime: ['events', 'messaging', 'model', 'actors', 'projections', 'media', 'health', 'client'],
  dashboard: ['events', 'messaging', 'projections', 'client', 'runtime'],
  cli: ['events', 'messaging', 'projections', 'simulation', 'runtime', 'dashboard'],
}

/** A package whose faults we contain may be imported by the one module that wraps it. */
const wrappedBy = {
  nact: '^src/actors/host/',
  nats: '^src/messaging/nats/',
  'fluent-ffmpeg': '^src/media/(ffmpeg|encoder|ingest)/',
  'better-sqlite3': '^src/events/stores/sqlite/',
  '@eventstore/db-client': '^src/events/stores/eventstoredb/',
  'ml-random-forest': '^src/model/learners/',
}

const layers = Object.entries(standsOn).map(([folder, others]) => ({
  name: `${folder}-stands-on-${others.join('-') || 'nothing'}`,
  comment: `src/${folder} may import from ${['itself', ...others].join(', ')} only`,
  severity: 'error',
  from: { path: `^src/${folder}/` },
  to: { path: '^src/', pathNot: `^src/(${[folder, ...others].join('|')})/` },
}))

const wrappers = Object.entries(wrappedBy).map(([name, module]) => ({
  name: `only-its-wrapper-imports-${name.replace(/\W+/g, '-')}`,
  comment: `${name} has faults that one module contains; use that module`,
  severity: 'error',
  from: { path: '^src/', pathNot: module },
  to: { path: `(^|/)node_modules/(@types/)?${name}(/|$)` },
}))

module.exports = {
  forbidden: [
    ...layers,
    ...wrappers,
    {
      name: 'deciders-see-facts-alone',
      comment: 'Deciders, models and projections must give the same again in a replay: no stores, host or clock',
      severity: 'error',
      from: { path: '^src/(model|projections|actors/(server|stream|client))/' },
      to: { path: '^src/(events/stores/|actors/host/|actors/clock\\.ts$)', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'index-does-not-offer-commands',
      comment: 'The public API is for embedding: nothing imports the command line',
      severity: 'error',
      from: { path: '^src/index\\.ts$' },
      to: { path: '^src/(cli|simulation)/' },
    },
    {
      name: 'nothing-imports-the-public-api',
      comment: 'src/index.ts is for users of the package; inside, import from the folder itself',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^src/index\\.ts$' },
    },
    {
      name: 'client-needs-nothing-at-run-time',
      comment: 'The viewer SDK runs in browsers without a bundler: no Node modules, no packages; types are free',
      severity: 'error',
      from: { path: '^src/client/' },
      to: {
        dependencyTypes: ['core', 'npm', 'npm-dev', 'npm-peer', 'npm-optional'],
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'client-takes-types-only',
      comment:
        'The modules of events and messaging load io-ts, and some of them Node modules: take types from them only',
      severity: 'error',
      from: { path: '^src/client/' },
      to: { path: '^src/(events|messaging)/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no-circular',
      comment: 'Modules that need each other are one module, or lack a third',
      severity: 'error',
      from: {},
      // A type is gone at run time, so a cycle through types alone cannot break loading.
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'src-stands-alone',
      comment: 'What is published must not need what is not',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|bench|examples|scripts|bin)/' },
    },
    {
      name: 'src-needs-no-dev-package',
      comment: 'A package that src/ imports belongs to dependencies in package.json',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'imports-exist',
      comment: 'An import that cannot be resolved',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: ['node_modules'] },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
}
