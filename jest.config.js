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

/** Needs a database of its own: `npm run test:mysql`, with `DATABASE_URL`. */
const onRequest = { mysql: [layer('mysql')] };

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
  maxWorkers: 2,
  testTimeout: 30_000,
};
