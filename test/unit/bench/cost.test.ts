import { billOf, type OrderUsage, totalOf } from '../../../bench/cost';
import { type Prices, prices } from '../../../bench/prices';

const usage: OrderUsage = {
  dynamoDbWrites: 3,
  dynamoDbReads: 1,
  s3Puts: 1,
  s3Gets: 1,
  sqsSends: 2,
  sqsReceived: 2,
  sqsBatchSize: 10,
  lambdaInvocations: 1.2,
  lambdaGbSeconds: 0.04,
  logBytes: 2_000,
  accessLogBytes: 200,
};

const nothing: OrderUsage = {
  dynamoDbWrites: 0,
  dynamoDbReads: 0,
  s3Puts: 0,
  s3Gets: 0,
  sqsSends: 0,
  sqsReceived: 0,
  sqsBatchSize: 10,
  lambdaInvocations: 0,
  lambdaGbSeconds: 0,
  logBytes: 0,
  accessLogBytes: 0,
};

const linesOf = (used: OrderUsage, list: Prices = prices): Record<string, number> =>
  Object.fromEntries(billOf(used, list).map(({ item, usdPerMillion }) => [item, usdPerMillion]));

test('a bill has each service at its list price', () => {
  const lines = linesOf(usage);
  const expected = {
    'S3 put': 5,
    'S3 get': 0.4,
    'DynamoDB writes': 1.875,
    'DynamoDB reads': 0.125,
    'Logs of the Lambdas': 1,
    'Access log of the API': 0.1,
    'HTTP API': 1,
    // Two sends, and a tenth of a receive and of a delete for each of two messages.
    'SQS requests': 0.96,
    'Lambda requests': 0.24,
    'Lambda time': 0.533336,
  };
  expect(Object.keys(lines)).toEqual(Object.keys(expected));
  for (const [item, usd] of Object.entries(expected)) expect(lines[item]).toBeCloseTo(usd, 9);
  expect(totalOf(billOf(usage, prices))).toBeCloseTo(11.233336, 9);
});

test('an order without usage still costs its HTTP API call', () => {
  expect(totalOf(billOf(nothing, prices))).toBeCloseTo(1, 9);
});

test.each([
  [1, 2.4],
  [5, 1.12],
  [10, 0.96],
])('in batches of %d, the queues cost %d USD', (sqsBatchSize, usd) => {
  expect(linesOf({ ...usage, sqsBatchSize })['SQS requests']).toBeCloseTo(usd, 9);
});

test('every price is in the bill', () => {
  const total = totalOf(billOf(usage, prices));
  for (const name of Object.keys(prices)) {
    expect(totalOf(billOf(usage, { ...prices, [name]: 0 }))).toBeLessThan(total);
  }
});
