import type { OrderLine } from '../../../../../ops/services/order-log/lines';
import {
  isOpenOrder,
  type OpenOrder,
  retryGroupsOf,
  triesOf as triesOfGroups,
} from '../../../../../ops/services/order-log/tries';
import { failedCall, heldReceive, orderItem, orderLine } from './order-lines';

const open = (changes: object = {}): OpenOrder => {
  const order = orderItem(changes);
  if (!isOpenOrder(order)) throw new Error('The order is not open');
  return order;
};

const triesOf = (order: OpenOrder, lines: readonly OrderLine[]) => triesOfGroups(order, retryGroupsOf(lines));

test('an order without a failure waits for its first attempt', () => {
  const lines = [orderLine('10:00:00.000', { service: 'webhook', message: 'webhook accepted', status: 'NOTIFIED' })];
  expect(triesOf(open(), lines)).toEqual({
    worker: 'download',
    attempts: 0,
    receives: 0,
    lastReceive: undefined,
    lastFailure: undefined,
    isHeldByCircuit: false,
    nextAttemptAt: undefined,
  });
});

test('counts calls and receives, and shows the last failure and the next attempt', () => {
  const tries = triesOf(open(), [
    failedCall('10:00:01.000', { attempt: '1', receive: '1', wait_seconds: '0.2' }),
    failedCall('10:00:02.000', { attempt: '2', receive: '1', wait_seconds: '0.5' }),
    failedCall('10:00:03.000', { receive: '1', wait_seconds: '20' }),
    failedCall('10:00:24.000', { receive: '2', wait_seconds: '61.5', status_code: '502' }),
  ]);
  expect(tries).toMatchObject({
    attempts: 4,
    receives: 2,
    lastReceive: 2,
    lastFailure: { code: 'API_UNAVAILABLE', api: 'qualia', statusCode: 502, error: 'Qualia answered 503' },
    nextAttemptAt: new Date('2026-01-31T10:01:25.500Z'),
  });
});

test('a receive that met an open circuit is not an attempt, and does not replace the last failure', () => {
  const tries = triesOf(open(), [failedCall('10:00:03.000', { receive: '1' }), heldReceive('10:00:40.000')]);
  expect(tries).toMatchObject({
    attempts: 1,
    receives: 2,
    isHeldByCircuit: true,
    lastFailure: { code: 'API_UNAVAILABLE' },
    nextAttemptAt: new Date('2026-01-31T10:01:25Z'),
  });
});

test('an order that only met an open circuit shows that as its failure', () => {
  const tries = triesOf(open(), [heldReceive('10:00:40.000')]);
  expect(tries).toMatchObject({ attempts: 0, receives: 1, lastFailure: { code: 'CIRCUIT_OPEN' } });
});

test.each([
  ['an earlier round', { request_id: 'request-0' }],
  ['the other worker', { service: 'processing' }],
])('a failure of %s is not counted', (_, fields) => {
  expect(triesOf(open(), [failedCall('10:00:03.000', fields)])).toMatchObject({
    attempts: 0,
    nextAttemptAt: undefined,
  });
});

test('a Retry-After that is kept in the item delays the next attempt', () => {
  const order = open({ not_before: '2026-01-31T14:00:00.000Z' });
  expect(triesOf(order, [failedCall('10:00:03.000')]).nextAttemptAt).toEqual(new Date('2026-01-31T14:00:00Z'));
});

test('a downloaded order waits for processing', () => {
  const order = open({
    status: 'DOWNLOADED',
    downloaded_at: '2026-01-31T10:00:01.000Z',
    s3_key: 'raw/QO-1/1.json',
    checksum: 'a'.repeat(64),
    payload_size: 1,
  });
  const lines = [
    failedCall('10:00:00.000'),
    failedCall('10:00:03.000', { service: 'processing', error_code: 'TIMEOUT' }),
  ];
  expect(triesOf(order, lines)).toMatchObject({ worker: 'processing', attempts: 1, lastFailure: { code: 'TIMEOUT' } });
});
