/** One project a layer; `npm test -- --selectProjects unit` runs one. */
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
 * What a plain `npm test` has no surroundings for: `npm run test:mysql` with `DATABASE_URL`, and the suites that are told
 * where the pipeline is, `npm run test:deployed` and `npm run test:aws`; and what takes minutes: `npm run test:faults`.
 */
const onRequest = {
  mysql: [layer('mysql')],
  deployed: [layer('e2e'), layer('deployed')],
  aws: [layer('e2e')],
  faults: [
    layer('faults', {
      globalSetup: '<rootDir>/test/faults/support/start-world.ts',
      globalTeardown: '<rootDir>/test/faults/support/stop-world.ts',
    }),
  ],
};

module.exports = {
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
  // What is deployed meets one test file at a time: one of them deploys the next release.
  maxWorkers: process.env.TEST_LAYER === 'deployed' ? 1 : 2,
  // Of those that a file marks as concurrent.
  maxConcurrency: 20,
  testTimeout: process.env.TEST_LAYER === 'faults' ? 240_000 : 30_000,
};
