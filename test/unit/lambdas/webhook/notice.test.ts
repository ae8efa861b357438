import fc from 'fast-check';
import { readNotice } from '../../../../lambdas/webhook/notice';
import { activity, notification } from '../../../support/webhook-calls';

const faultsOf = (body: unknown): string[] => {
  const result = readNotice(body);
  return 'faults' in result ? result.faults.map(({ path, message }) => `${path}: ${message}`) : [];
};
const pathsOf = (body: unknown): string[] =>
  [...new Set(faultsOf(body).map((fault) => fault.split(':')[0] ?? ''))].sort();
const without = (body: Record<string, unknown>, field: string) =>
  Object.fromEntries(Object.entries(body).filter(([name]) => name !== field));

describe('a notification', () => {
  test.each(['order.created', 'order.updated'])('of the type %s is read', (type) => {
    expect(readNotice(notification({ notification_type: type }))).toEqual({
      notice: {
        orderId: 'QO-123456',
        notificationType: type,
        occurredAt: { ms: Date.parse('2026-01-01T00:00:00Z'), subMsDigits: '', precisionMs: 1_000 },
      },
    });
  });

  test('can contain unknown fields', () => {
    expect(faultsOf(notification({ description: 'x', nested: { a: 1 }, type: 7 }))).toEqual([]);
  });

  test.each(['QO-1', 'QO-123456', 'QO-a_B-9', `QO-${'x'.repeat(125)}`])('order_id can be %s', (order_id) => {
    expect(faultsOf(notification({ order_id }))).toEqual([]);
  });

  test.each([
    ['123456', 'order_id: must start with "QO-"'],
    ['qo-123456', 'order_id: must start with "QO-"'],
    ['', 'order_id: must start with "QO-"'],
    [' QO-1', 'order_id: must start with "QO-"'],
    ['QO-', 'order_id: needs more than the prefix'],
    [`QO-${'x'.repeat(126)}`, 'order_id: must be at most 128 characters'],
    ['QO-1/2', 'order_id: must hold only letters, digits, "-" and "_" after the prefix'],
    ['QO-1 ', 'order_id: must hold only letters, digits, "-" and "_" after the prefix'],
    ['QO-1\n', 'order_id: must hold only letters, digits, "-" and "_" after the prefix'],
    ['QO-ä', 'order_id: must hold only letters, digits, "-" and "_" after the prefix'],
    [123456, 'order_id: must be a string'],
    [null, 'order_id: must be a string'],
    [undefined, 'order_id: must be a string'],
    [['QO-1'], 'order_id: must be a string'],
  ])('order_id must not be %j', (order_id, fault) => {
    expect(faultsOf(notification({ order_id }))).toContain(fault);
    expect(pathsOf(notification({ order_id }))).toEqual(['order_id']);
  });

  test('a wrong prefix is one fault, worded as in the contract', () => {
    expect(faultsOf(notification({ order_id: 'XX-123456' }))).toEqual(['order_id: must start with "QO-"']);
  });

  test.each(['order.deleted', 'ORDER.CREATED', '', 'order_request', 7, null, undefined])(
    'notification_type must not be %j',
    (notification_type) => {
      expect(faultsOf(notification({ notification_type }))).toEqual([
        'notification_type: must be one of "order.created", "order.updated"',
      ]);
    },
  );

  test.each([
    ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00.000Z'],
    ['2026-01-01T00:00:00.5Z', '2026-01-01T00:00:00.500Z'],
    ['2026-01-01T00:00:00.123456Z', '2026-01-01T00:00:00.123Z'],
    ['2026-01-01T02:00:00+02:00', '2026-01-01T00:00:00.000Z'],
    ['2025-12-31T18:30:00-05:30', '2026-01-01T00:00:00.000Z'],
    ['2024-02-29T12:00:00Z', '2024-02-29T12:00:00.000Z'],
    ['2000-02-29T12:00:00Z', '2000-02-29T12:00:00.000Z'],
    ['2026-01-01T00:00Z', '2026-01-01T00:00:00.000Z'],
    ['2026-12-31T23:59:59.999Z', '2026-12-31T23:59:59.999Z'],
    ['2026-11-26T10:00:00+0000', '2026-11-26T10:00:00.000Z'],
    ['2026-11-26T05:00:00-05', '2026-11-26T10:00:00.000Z'],
    ['2026-11-26T10:00:00,5Z', '2026-11-26T10:00:00.500Z'],
    ['2026-11-26t10:00:00z', '2026-11-26T10:00:00.000Z'],
    ['2026-01-01 00:00:00Z', '2026-01-01T00:00:00.000Z'],
    ['2026-01-01 00:00:00 +0000', '2026-01-01T00:00:00.000Z'],
  ])('timestamp can be %s, which is read as %s', (timestamp, instant) => {
    expect(readNotice(notification({ timestamp }))).toMatchObject({
      notice: { occurredAt: { ms: Date.parse(instant) } },
    });
  });

  test.each([
    ...['2026-01-01T00:00:00', '2026-01-01', '20260101', '01/01/2026', 'now', '', '1767225600'],
    ...['2026-02-29T00:00:00Z', '1900-02-29T00:00:00Z', '2026-02-30T00:00:00Z', '2026-04-31T00:00:00Z'],
    ...['2026-13-01T00:00:00Z', '2026-00-01T00:00:00Z', '2026-01-00T00:00:00Z', '2026-01-01T24:00:00Z'],
    ...['2026-01-01T00:60:00Z', '2026-01-01T00:00:60Z', '2026-01-01T00:00:00+24:00', '2026-01-01T00:00:00+02:60'],
    ...['2026-01-01T00:00:00Z ', '2026-01-01T00:00:00ZZ', 1_767_225_600_000, null, undefined, {}],
  ])('timestamp must not be %j', (timestamp) => {
    expect(faultsOf(notification({ timestamp }))).toEqual([
      'timestamp: must be an ISO 8601 time with an offset or "Z"',
    ]);
  });

  test('timestamps within the same millisecond are distinguished', () => {
    const [first, second] = ['2026-11-26T10:00:00.100100Z', '2026-11-26T10:00:00.100900Z'].map((timestamp) =>
      readNotice(notification({ timestamp })),
    );
    expect(first).toMatchObject({ notice: { occurredAt: { subMsDigits: '1' } } });
    expect(second).toMatchObject({ notice: { occurredAt: { subMsDigits: '9' } } });
  });

  test('reports every fault at once', () => {
    expect(pathsOf({})).toEqual(['notification_type', 'order_id', 'timestamp']);
    expect(pathsOf({ order_id: 'x', notification_type: 'y', timestamp: 'z' })).toEqual([
      'notification_type',
      'order_id',
      'timestamp',
    ]);
  });

  test('property: a timestamp with any offset is read as the same instant', () => {
    const instants = fc.date({ min: new Date('1970-01-02'), max: new Date('9999-12-30'), noInvalidDate: true });
    fc.assert(
      fc.property(instants, fc.integer({ min: -14 * 60, max: 14 * 60 }), (date, offsetMinutes) => {
        const local = new Date(date.getTime() + offsetMinutes * 60_000).toISOString().slice(0, -1);
        const twoDigits = (value: number) => String(value).padStart(2, '0');
        const minutes = Math.abs(offsetMinutes);
        const offset = `${offsetMinutes < 0 ? '-' : '+'}${twoDigits(Math.trunc(minutes / 60))}:${twoDigits(minutes % 60)}`;
        expect(readNotice(notification({ timestamp: local + offset }))).toMatchObject({
          notice: { occurredAt: { ms: date.getTime() } },
        });
      }),
    );
  });
});

describe('an activity', () => {
  test.each([
    'order_request',
    'order_cancelled',
    'order_completed',
    'order_revision_requested',
    'message',
    'documents',
  ])('of the type %s has no time, and its description is dropped', (type) => {
    expect(readNotice(activity({ type }))).toEqual({
      notice: { orderId: 'bK8bg5tajNkDpDk25', notificationType: type, occurredAt: undefined },
    });
  });

  test.each([
    ['description', ''],
    ['description', 'ü'.repeat(4_096)],
    ['order_id', 'x'],
    ['order_id', 'QO-1'],
    ['order_id', 'a_B-9'.padEnd(128, 'x')],
    ['message_id', 'm1'],
    ['message_id', null],
    ['message_id', undefined],
    ['unknown', { nested: true }],
  ])('%s can be %j', (field, value) => {
    expect(faultsOf(activity({ [field]: value }))).toEqual([]);
  });

  test.each<[string, unknown, string]>([
    ['order_id', '', 'must be 1 to 128 letters, digits, "-" or "_"'],
    ['order_id', 'x'.repeat(129), 'must be 1 to 128 letters, digits, "-" or "_"'],
    ['order_id', 'a/b', 'must be 1 to 128 letters, digits, "-" or "_"'],
    ['order_id', 'a b', 'must be 1 to 128 letters, digits, "-" or "_"'],
    ['order_id', 7, 'must be a string'],
    ['order_id', undefined, 'must be a string'],
    ['description', 'x'.repeat(4_097), 'must be at most 4096 characters'],
    ['description', undefined, 'must be a string'],
    ['description', null, 'must be a string'],
    ['description', 7, 'must be a string'],
    ['message_id', 7, 'must be a string'],
  ])('%s must not be %j', (field, value, message) => {
    expect(faultsOf(activity({ [field]: value }))).toEqual([`${field}: ${message}`]);
  });

  test.each(['order_created', 'ORDER_REQUEST', '', 7, null])('type must not be %j', (type) => {
    expect(pathsOf(activity({ type }))).toEqual(['type']);
    expect(faultsOf(activity({ type }))[0]).toMatch(/^type: must be one of "order_request", .*"documents"$/);
  });

  test('reports every fault at once', () => {
    expect(pathsOf({ type: 'x' })).toEqual(['description', 'order_id', 'type']);
  });
});

test.each(['order_id', 'notification_type', 'timestamp'])(
  'a notification without %s is refused with a fault of that field',
  (field) => {
    expect(pathsOf(without(notification(), field))).toEqual([field]);
  },
);

test.each([null, true, 7, 'QO-1', [], [notification()]])('%j is not a notice', (body) => {
  expect(readNotice(body)).toEqual({
    faults: expect.arrayContaining([{ path: expect.any(String), message: expect.any(String) }]),
  });
});

test('property: any input gives a notice or faults, and no fault contains the input', () => {
  const marked = fc.string({ minLength: 1 }).map((text) => `pII${text}`);
  const bodies = fc.oneof(
    fc.jsonValue(),
    fc.record(
      { order_id: marked, notification_type: marked, timestamp: marked, type: marked, description: marked },
      { requiredKeys: [] },
    ),
  );
  fc.assert(
    fc.property(bodies, (body) => {
      expect(JSON.stringify(readNotice(body))).not.toContain('pII');
    }),
  );
});
