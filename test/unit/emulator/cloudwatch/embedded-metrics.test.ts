import { readEmbeddedMetrics } from '../../../../emulator/cloudwatch/embedded-metrics';
import { createMetrics } from '../../../../shared/observability/metrics';

const timestamp = 1_796_000_000_000;
const line = (directive: object, fields: object) =>
  JSON.stringify({ _aws: { Timestamp: timestamp, CloudWatchMetrics: [{ Namespace: 'N', ...directive }] }, ...fields });

test('each dimension set is a metric of its own', () => {
  const read = readEmbeddedMetrics(
    line(
      { Dimensions: [['service'], ['service', 'api'], []], Metrics: [{ Name: 'Retry', Unit: 'Count' }] },
      { service: 'download', api: 'qualia', Retry: 2 },
    ),
  );
  const values = { sum: 2, count: 1, min: 2, max: 2 };
  expect(read).toEqual(
    [{ service: 'download' }, { service: 'download', api: 'qualia' }, {}].map((dimensions) => ({
      namespace: 'N',
      name: 'Retry',
      unit: 'Count',
      timestamp,
      dimensions,
      values,
    })),
  );
});

test('an array has several values', () => {
  const [metric] = readEmbeddedMetrics(
    line({ Dimensions: [[]], Metrics: [{ Name: 'Latency' }] }, { Latency: [5, 1, 3] }),
  );
  expect(metric).toMatchObject({ unit: 'None', values: { sum: 9, count: 3, min: 1, max: 5 } });
});

test.each([
  ['no JSON', '"CloudWatchMetrics"'],
  ['no directive', '{"_aws":{"CloudWatchMetrics":1}}'],
  ['a text as value', line({ Dimensions: [[]], Metrics: [{ Name: 'M' }] }, { M: '1' })],
  ['no value', line({ Dimensions: [[]], Metrics: [{ Name: 'M' }] }, {})],
  [
    'over 100 values',
    line({ Dimensions: [[]], Metrics: [{ Name: 'M' }] }, { M: Array.from({ length: 101 }, () => 1) }),
  ],
  ['a dimension that the line lacks', line({ Dimensions: [['d']], Metrics: [{ Name: 'M' }] }, { M: 1 })],
  ['another line', '{"message":"order processed"}'],
])('a line publishes nothing: %s', (_what, message) => {
  expect(readEmbeddedMetrics(message)).toEqual([]);
});

test('reads what a Lambda writes', () => {
  process.env.POWERTOOLS_METRICS_NAMESPACE = 'MarketplacePipeline';
  const fields = createMetrics({ STAGE: 'dev' }).fields({ ApiRetry: 1 }, 'qualia');
  const message = JSON.stringify({ service: 'download', stage: 'dev', api: 'qualia', ...fields });
  expect(readEmbeddedMetrics(message)).toEqual([
    expect.objectContaining({
      namespace: 'MarketplacePipeline',
      name: 'ApiRetry',
      unit: 'Count',
      dimensions: { service: 'download', stage: 'dev', api: 'qualia' },
    }),
  ]);
});
