import { traceOf } from '../../../../../ops/services/order-log/trace';
import type { Round } from '../../../../../shared/orders/order';
import { failedCall, heldReceive, orderItem, orderLine } from './order-lines';

const round = '001769853600000-000000000000' as Round;
const key = `raw/QO-1/${round}.json`;

const accepted = (time: string, fields: Readonly<Record<string, string>> = {}) =>
  orderLine(time, {
    service: 'webhook',
    message: 'webhook accepted',
    status: 'NOTIFIED',
    outcome: 'queued',
    notification_type: 'order.created',
    response_time_ms: '4',
    ...fields,
  });
const downloaded = (time: string, fields: Readonly<Record<string, string>> = {}) =>
  orderLine(time, {
    service: 'download',
    message: 'order downloaded',
    status: 'DOWNLOADED',
    s3_key: key,
    response_time_ms: '210',
    ...fields,
  });
const processed = (time: string, fields: Readonly<Record<string, string>> = {}) =>
  orderLine(time, {
    service: 'processing',
    message: 'order processed',
    status: 'PROCESSED',
    outcome: 'posted',
    status_code: '201',
    response_time_ms: '100',
    ...fields,
  });
const exhausted = (time: string) =>
  orderLine(time, {
    service: 'download',
    level: 'ERROR',
    message: 'order failed for good',
    status: 'FAILED',
    receive: '5',
    error_code: 'RETRIES_EXHAUSTED',
    error: 'Gave up after 5 receives',
  });

const closed = orderItem({
  status: 'PROCESSED',
  downloaded_at: '2026-01-31T10:00:01.000Z',
  processed_at: '2026-01-31T10:00:02.000Z',
  s3_key: key,
  checksum: 'a'.repeat(64),
  payload_size: 1,
});

test('a clean order has one round, started by a webhook', () => {
  // The webhook logs after its send.
  const lines = [downloaded('10:00:00.400'), accepted('10:00:00.500'), processed('10:00:00.900')];
  const [first, ...others] = traceOf({ order: closed, lines, payloads: [round] });
  expect(others).toEqual([]);
  expect(first).toMatchObject({
    round,
    requestId: 'request-1',
    startedBy: 'webhook',
    notificationType: 'order.created',
    end: 'PROCESSED',
    hasPayload: true,
    endedAt: new Date('2026-01-31T10:00:00.900Z'),
  });
  expect(first?.events).toMatchObject([
    { kind: 'notification', service: 'webhook', outcome: 'queued', durationMs: 4 },
    { kind: 'attempt', worker: 'download', trigger: 'webhook', number: 1, result: 'done', outcome: 'downloaded' },
    { kind: 'attempt', worker: 'processing', trigger: 'webhook', number: 1, result: 'done', statusCode: 201 },
  ]);
});

test.each([
  ['replay', 'replay'],
  ['reconciliation', 'reconciler'],
] as const)('an older round without a webhook names its starter: %s', (started_by, startedBy) => {
  const lines = [downloaded('10:00:03.400', { started_by }), processed('10:00:04.000', { started_by })];
  const newest = orderItem({ request_id: 'request-2', round: '001769860000000-000000000000' });
  const [first] = traceOf({ order: newest, lines, payloads: [round] });
  expect(first).toMatchObject({ round, startedBy, startedAt: new Date('2026-01-31T10:00:00.000Z'), end: 'PROCESSED' });
  expect(first?.events).toMatchObject([{ trigger: startedBy }, { kind: 'attempt', trigger: startedBy }]);
});

test('an attempt that failed has its duration', () => {
  const lines = [accepted('10:00:00.000'), failedCall('10:00:00.500', { attempt_ms: '480' })];
  const [first] = traceOf({ order: orderItem(), lines, payloads: [] });
  expect(first?.events.at(-1)).toMatchObject({ result: 'retry', durationMs: 480 });
});

test('an outage shows each attempt with its cause, and the waits between them', () => {
  const lines = [
    accepted('10:00:00.000'),
    failedCall('10:00:00.500', { attempt: '1', wait_seconds: '0.2' }),
    failedCall('10:00:00.900', { receive: '1' }),
    heldReceive('10:00:31.000'),
    heldReceive('10:01:16.000'),
    downloaded('10:02:01.000'),
  ];
  const [first] = traceOf({ order: closed, lines, payloads: [] });
  expect(first?.events.slice(1)).toMatchObject([
    { trigger: 'webhook', number: 1, result: 'retry', errorCode: 'API_UNAVAILABLE', waitSeconds: 0.2 },
    { trigger: 'retry', number: 2, result: 'retry', waitSeconds: 30 },
    { kind: 'waiting', seconds: 30.1, why: 'back-off' },
    { trigger: 'retry', number: undefined, result: 'held', times: 2, waitSeconds: 90 },
    { kind: 'waiting', seconds: 90, why: 'circuit' },
    { trigger: 'resume', number: 3, result: 'done' },
  ]);
});

test('a redriven order waits for its operator', () => {
  const lines = [accepted('10:00:00.000'), exhausted('10:08:00.000'), downloaded('11:00:00.000')];
  const [first] = traceOf({ order: closed, lines, payloads: [] });
  expect(first?.events).toMatchObject([
    { kind: 'notification' },
    { kind: 'waiting', why: 'queue' },
    { result: 'failed', errorCode: 'RETRIES_EXHAUSTED' },
    { kind: 'waiting', why: 'operator', seconds: 3_120 },
    { trigger: 'redrive', result: 'done' },
  ]);
});

test('a duplicate belongs to the round that it repeats', () => {
  const lines = [
    accepted('10:00:00.000'),
    downloaded('10:00:00.100'),
    accepted('10:00:00.200', { request_id: 'request-2', outcome: 'duplicate', status: 'NOTIFIED' }),
    processed('10:00:00.300'),
  ];
  const rounds = traceOf({ order: closed, lines, payloads: [] });
  expect(rounds).toHaveLength(1);
  expect(rounds[0]).toMatchObject({ end: 'PROCESSED' });
  expect(rounds[0]?.events).toContainEqual(expect.objectContaining({ outcome: 'duplicate' }));
});

test('each round is shown separately, and one that a newer round overtook is superseded', () => {
  const lines = [
    accepted('09:00:00.000', { request_id: 'request-0' }),
    orderLine('10:00:00.000', {
      service: 'reconciler',
      message: 'order reconciled',
      status: 'NOTIFIED',
      reason: 'stuck',
    }),
    orderLine('10:00:01.000', {
      service: 'download',
      message: 'message superseded',
      outcome: 'superseded',
      request_id: 'request-0',
    }),
    downloaded('10:00:02.000'),
    processed('10:00:03.000'),
  ];
  const rounds = traceOf({ order: closed, lines, payloads: [] });
  expect(rounds).toMatchObject([
    { requestId: 'request-0', startedBy: 'webhook', end: 'SUPERSEDED', round: undefined },
    { requestId: 'request-1', startedBy: 'reconciler', end: 'PROCESSED', round },
  ]);
  expect(rounds[0]?.events.at(-1)).toMatchObject({ result: 'superseded', number: undefined });
});

test.each([
  ['replay', 'replay'],
  ['reconciliation', 'reconciler'],
])('the newest round of type %s is started by %s', (notification_type, startedBy) => {
  const order = { ...closed, notification_type };
  expect(traceOf({ order, lines: [downloaded('10:00:02.000')], payloads: [] })).toMatchObject([{ startedBy }]);
});

test('rounds without log lines are known from the item and the stored payloads', () => {
  const older = '001760000000000-000000000000' as Round;
  expect(traceOf({ order: closed, lines: [], payloads: [round, older] })).toMatchObject([
    { round: older, hasPayload: true, events: [], end: 'SUPERSEDED', startedAt: new Date(1_760_000_000_000) },
    { round, hasPayload: true, events: [], end: 'PROCESSED', requestId: 'request-1' },
  ]);
});

test('an open order has no end', () => {
  const [first] = traceOf({ order: orderItem(), lines: [accepted('10:00:00.000')], payloads: [] });
  expect(first).toMatchObject({ end: 'NOTIFIED', endedAt: undefined });
});
