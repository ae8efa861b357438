import fc from 'fast-check';
import { productionBatches } from '../../bench/batches';
import { backlogLimitOf, callSharesOf } from '../../lib/call-budget';
import { loadConfig, parseStageConfig } from '../../lib/config';

const release = { version: '1.0.0', commitSha: 'unknown' };

test.each(['dev', 'staging', 'prod'])('%s has valid settings', (stage) => {
  expect(loadConfig(stage, release)).toMatchObject({ stage, ...release });
});

test('only prod calls the production API and retains its data', () => {
  const [dev, staging, prod] = ['dev', 'staging', 'prod'].map((stage) => loadConfig(stage, release));
  expect(dev?.qualiaApiUrl).toMatch(/sandbox/);
  expect(staging?.qualiaApiUrl).toMatch(/sandbox/);
  expect(prod?.qualiaApiUrl).toBe('https://marketplace.qualia.io/api/vendor/graphql');
  expect([dev, staging, prod].map((config) => config?.retainData)).toEqual([false, false, true]);
});

test('the error about an unknown stage lists the stages', () => {
  expect(() => loadConfig('qa', release)).toThrow('There is no stage "qa": choose one of dev, staging, prod.');
});

test('the URLs of vendors must be https', () => {
  for (const name of ['qualiaApiUrl', 'internalApiUrl', 'netlifeBaseUrl', 'iterableApiBaseUrl']) {
    expect(() => parseStageConfig({ ...loadConfig('dev', release), [name]: 'http://127.0.0.1:2/orders' })).toThrow(
      `${name}: must be an https URL`,
    );
  }
});

test('a batch of more than 10 messages needs a batching window', () => {
  const dev = loadConfig('dev', release);
  const withBatch = (batchSize: number, batchingWindowSeconds: number) =>
    parseStageConfig({ ...dev, download: { ...dev.download, batchSize, batchingWindowSeconds } });
  expect(withBatch(20, 1).download.batchSize).toBe(20);
  expect(withBatch(10, 0).download.batchSize).toBe(10);
  expect(() => withBatch(11, 0)).toThrow('download.batchSize: must be at most 10 without a batching window');
});

test('the benchmark of the cost has the batches of production', () => {
  const { download, processing } = loadConfig('prod', release);
  expect(download).toMatchObject(productionBatches);
  expect(processing).toMatchObject(productionBatches);
});

describe('a budget of calls per second', () => {
  const dev = loadConfig('dev', release);
  const withBudget = (callsPerSecond: object | undefined, maxConcurrency: number) =>
    parseStageConfig({
      ...dev,
      callsPerSecond,
      download: { ...dev.download, maxConcurrency },
      processing: { ...dev.processing, maxConcurrency },
    });

  test('is divided among all processes that can call at the same time, without a remainder', () => {
    expect(callSharesOf(withBudget({ qualia: 100, internalApi: 55 }, 10))).toEqual({
      download: 9,
      reconciler: 10,
      processing: 5,
    });
    expect(callSharesOf(withBudget({ qualia: 3 }, 2))).toEqual({ download: 1, reconciler: 1, processing: undefined });
  });

  test('is never exceeded by the processes together, for any size', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 1000 }), fc.integer({ min: 0, max: 5000 }), (maxConcurrency, more) => {
        const budget = maxConcurrency + 1 + more;
        const {
          download = 0,
          reconciler = 0,
          processing = 0,
        } = callSharesOf({
          callsPerSecond: { qualia: budget, internalApi: budget },
          download: { batchSize: 10, maxConcurrency },
          processing: { maxConcurrency },
        });
        expect(download * maxConcurrency + reconciler).toBe(budget);
        expect(processing * maxConcurrency).toBeLessThanOrEqual(budget);
        for (const share of [download, reconciler, processing]) expect(share).toBeGreaterThanOrEqual(1);
      }),
    );
  });

  test('is optional', () => {
    expect(callSharesOf(dev)).toEqual({ download: undefined, reconciler: undefined, processing: undefined });
    expect(callSharesOf(withBudget({}, 2))).toEqual(callSharesOf(dev));
  });

  test('is rejected if a process would get less than one call per second; the error says what to change', () => {
    expect(() => withBudget({ qualia: 10, internalApi: 9 }, 10)).toThrow(
      expect.objectContaining({
        message: expect.stringMatching(
          /qualia: must be at least 11, or download\.maxConcurrency lower.*\n.*internalApi: must be at least 10, or processing/,
        ),
      }),
    );
    for (const qualia of [0, 1.5, '5']) expect(() => withBudget({ qualia }, 2)).toThrow('callsPerSecond.qualia');
  });

  test('limits the backlog of the reconciler to seconds of work', () => {
    expect(backlogLimitOf(withBudget(undefined, 10))).toBe(400);
    expect(backlogLimitOf(withBudget({ qualia: 11 }, 10))).toBe(50);
  });
});

test('the reserved concurrency of the webhook covers the burst of the API', () => {
  const prod = loadConfig('prod', release);
  expect(() => parseStageConfig({ ...prod, webhookReservedConcurrency: prod.apiThrottle.burst - 1 })).toThrow(
    'webhookReservedConcurrency: must be at least apiThrottle.burst',
  );
});

test('one error lists all invalid settings', () => {
  const faulty = {
    ...loadConfig('dev', release),
    logRetentionDays: 29,
    logLevel: 'WARN',
    qualiaApiUrl: 'http://plain.example.com',
    apiThrottle: { ratePerSecond: 0, burst: 'many' },
    download: { batchSize: 21, batchingWindowSeconds: -1, maxConcurrency: 1 },
    alarmEmails: { page: 'nobody' },
    retainDate: true,
    commitSha: 'HEAD',
  };
  expect(() => parseStageConfig(faulty)).toThrow(
    expect.objectContaining({
      message: expect.stringMatching(
        new RegExp(
          [
            '^The stage configuration is not valid:',
            'logRetentionDays: ',
            'logLevel: ',
            'apiThrottle.ratePerSecond: ',
            'apiThrottle.burst: ',
            'download.batchSize: ',
            'download.batchingWindowSeconds: ',
            'download.maxConcurrency: ',
            'alarmEmails.page: ',
            'qualiaApiUrl: must be an https URL',
            'commitSha: must be a commit hash or "unknown"',
            'retainDate',
          ].join('[^]*'),
        ),
      ),
    }),
  );
});
