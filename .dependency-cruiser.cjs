/** Dependencies between folders point one way (docs/architecture.md). */

module.exports = {
  forbidden: [
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'lambdas-use-shared',
      comment: 'A Lambda uses its own folder and shared, never another Lambda.',
      severity: 'error',
      from: { path: '^lambdas/([^/]+)/' },
      to: { path: '^(lambdas|lib|ops|emulator|local|bench|bin|test)/', pathNot: '^lambdas/$1/' },
    },
    {
      name: 'shared-uses-shared',
      severity: 'error',
      from: { path: '^shared/' },
      to: { path: '^(lambdas|lib|ops|emulator|local|bench|bin|test)/' },
    },
    {
      name: 'ops-uses-shared',
      severity: 'error',
      from: { path: '^ops/' },
      to: { path: '^(lambdas|lib|emulator|local|bench|bin|test)/' },
    },
    {
      name: 'lib-uses-lib',
      comment: 'A Lambda is an entry path to lib, never an import.',
      severity: 'error',
      from: { path: '^lib/' },
      to: { path: '^(lambdas|shared|ops|emulator|local|bench|bin|test)/' },
    },
    {
      name: 'emulator-uses-itself',
      comment: 'The embedded AWS runs what was synthesized and knows nothing of Qualia or the sync jobs.',
      severity: 'error',
      from: { path: '^emulator/' },
      to: { path: '^(lambdas|lib|shared|ops|local|bench|bin|test)/' },
    },
    {
      name: 'local-uses-outputs',
      comment: 'The local run starts what was synthesized; it shares no code with it.',
      severity: 'error',
      from: { path: '^local/' },
      to: { path: '^(lambdas|lib|shared|ops|bench|bin|test)/' },
    },
    {
      name: 'nobody-uses-emulator-or-local',
      severity: 'error',
      from: { path: '^(bin|lib|lambdas|shared|ops)/' },
      to: { path: '^(emulator|local|bench|test)/' },
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
