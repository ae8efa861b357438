/** Dependencies between top-level folders point one way (docs/architecture.md). */

/** The folders that each folder may import from, besides itself. A folder without an entry may not exist. */
const allowedImports = {
  // A Lambda is an entry path to lib, never an import.
  lib: [],
  shared: [],
  lambdas: ['shared'],
  // The console builds a form from the schema of a run's input.
  ops: ['docs/api', 'samples', 'shared'],
  // Made-up orders and calls, for the local run, tests and operators.
  samples: [],
  // bin/docs generates documents from the schemas and error codes.
  bin: ['lambdas', 'lib', 'ops', 'shared'],
  // The embedded AWS runs what was synthesized, and knows nothing of Qualia or the sync jobs.
  emulator: [],
  // The local run starts what was synthesized, and shares no code with it. A simulator reads its vendor's contract.
  local: ['emulator', 'docs/contracts', 'samples'],
  bench: ['emulator', 'lambdas', 'local', 'samples', 'shared'],
  test: ['bench', 'bin', 'docs/contracts', 'emulator', 'lambdas', 'lib', 'local', 'ops', 'samples', 'shared'],
};

const either = (folders) => `^(${folders.join('|')})/`;

const folderRules = Object.entries(allowedImports).map(([folder, allowed]) => ({
  name: `imports-of-${folder}`,
  comment: `Besides itself, ${folder} imports from ${allowed.join(', ') || 'no folder'}.`,
  severity: 'error',
  from: { path: `^${folder}/` },
  to: { path: '^[^/]+/', pathNot: either([folder, ...allowed, 'node_modules']), dependencyTypesNot: ['core'] },
}));

module.exports = {
  forbidden: [
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
    ...folderRules,
    {
      name: 'every-folder-has-a-rule',
      severity: 'error',
      from: { path: '^[^/]+/', pathNot: either([...Object.keys(allowedImports), 'node_modules']) },
      to: {},
    },
    {
      name: 'no-lambda-imports-another',
      severity: 'error',
      from: { path: '^lambdas/([^/]+)/' },
      to: { path: '^lambdas/', pathNot: '^lambdas/$1/' },
    },
    {
      name: 'runs-import-no-job',
      comment: 'A sync job owns its folder. In shared/runs, only the list of jobs imports the jobs.',
      severity: 'error',
      from: { path: '^shared/runs/', pathNot: '^shared/runs/jobs\\.ts$' },
      to: { path: '^shared/[^/]+/', pathNot: '^shared/(runs|operations|aws|concurrency|http|observability)/' },
    },
    {
      name: 'order-lambdas-load-zod-mini',
      comment: 'The whole of zod costs a worker 59 kB and about 8 ms of its cold start (docs/adr/0004).',
      severity: 'error',
      from: { path: '^lambdas/(webhook|download|processing|reconciler)/' },
      to: { path: 'node_modules/zod/(index|v4/classic)', reachable: true },
    },
    {
      name: 'pages-import-types-of-the-server',
      comment: 'The pages of the console run in a browser. They share types with the server, and the formats of texts.',
      severity: 'error',
      from: { path: '^ops/console/pages/' },
      to: {
        path: '^[^/]+/',
        pathNot: '^(ops/console/pages/|ops/format\\.ts$|node_modules/)',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'nothing-imports-the-pages',
      severity: 'error',
      from: { pathNot: '^ops/console/pages/' },
      to: { path: '^ops/console/pages/' },
    },
    {
      name: 'no-dev-dependencies-in-lambdas',
      severity: 'error',
      from: { path: '^(lambdas|shared)/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
