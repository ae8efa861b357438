/** One project per layer; `npm test -- --selectProjects unit` runs one of them. */
const layer = (name, extra = {}) => ({
  displayName: name,
  roots: ['<rootDir>/test'],
  testMatch: [`<rootDir>/test/${name}/**/*.test.ts`],
  testEnvironment: 'node',
  transform: {
    '^.+\\.[jt]s$': [
      '@swc/jest',
      { jsc: { target: 'es2024', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } },
    ],
  },
  ...extra,
});

/**
 * Layers that a plain `npm test` leaves out. `test:mysql` needs `DATABASE_URL`, `test:deployed` and `test:aws` need a
 * deployed pipeline, `test:faults` takes minutes, and `test:console` needs a browser. `test:local` tests what only runs on
 * a developer's machine: the embedded AWS with its restarts, full disks and a storm of faults, and `npm start`.
 */
const onRequest = {
  local: [layer('local')],
  mysql: [layer('mysql')],
  deployed: [layer('e2e'), layer('deployed')],
  aws: [layer('e2e')],
  console: [
    layer('console', {
      globalSetup: '<rootDir>/test/console/support/start-world.ts',
      globalTeardown: '<rootDir>/test/console/support/stop-world.ts',
    }),
  ],
  faults: [
    layer('faults', {
      globalSetup: '<rootDir>/test/faults/support/start-world.ts',
      globalTeardown: '<rootDir>/test/faults/support/stop-world.ts',
    }),
  ],
};

module.exports = {
  // Three for two cores, because many tests wait for processes and timers. The fault tests do not. One file at a time
  // against a deployed pipeline and the console: one of the files deploys the next release, another pauses a worker.
  maxWorkers: { deployed: 1, faults: 2, console: 1 }[process.env.TEST_LAYER] ?? 3,
  testSequencer: '<rootDir>/test/support/longest-first.cjs',
  projects: onRequest[process.env.TEST_LAYER] ?? [
    layer('unit'),
    layer('infra'),
    layer('integration', {
      globalSetup: '<rootDir>/test/integration/support/start-services.ts',
      globalTeardown: '<rootDir>/test/integration/support/stop-services.ts',
    }),
    layer('e2e', {
      globalSetup: '<rootDir>/test/e2e/support/start-target.ts',
      globalTeardown: '<rootDir>/test/e2e/support/stop-target.ts',
    }),
  ],
  // Tests of one file that are marked as concurrent.
  maxConcurrency: 20,
  // For tests that hang. On a busy machine, a test can take ten times as long as usual.
  testTimeout: 240_000,
};
