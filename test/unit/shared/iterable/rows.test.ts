import { swaggerFault } from '../../../../local/simulators/iterable-schemas';
import { readRow, sourceRowSchema, toEvent, toProfile } from '../../../../shared/iterable/rows';
import { row, user } from './sample';

test('builds the payloads of the contract', () => {
  const maria = user(7, { device: 'mobile', browser: 'Safari' });
  expect(toProfile(maria)).toEqual({
    email: 'user7@example.com',
    dataFields: {
      first_name: 'Maria',
      last_name: 'Sample',
      plan_type: 'pro',
      candidate: 'Northwind Title',
      recent_page_view: true,
    },
  });
  expect(toEvent(maria)).toEqual({
    eventName: 'page_view',
    email: 'user7@example.com',
    id: 'page_view:7:pricing:1795168953',
    createdAt: 1795168953,
    dataFields: {
      page: 'pricing',
      location: 'New York, NY',
      candidate: 'Northwind Title',
      browser: 'mobile',
      timestamp: '2026-11-20 10:02:33',
    },
  });
});

test('omits null values and keeps empty ones', () => {
  const bare = user(1, { first_name: null, last_name: '', candidate: null, device: null, location: null });
  expect(toProfile(bare).dataFields).toEqual({ last_name: '', plan_type: 'pro', recent_page_view: true });
  expect(toEvent(bare).dataFields).toEqual({ page: 'pricing', timestamp: '2026-11-20 10:02:33' });
});

test('payloads match the Swagger file', () => {
  for (const sent of [user(1), user(2, { first_name: null, device: null })]) {
    expect(swaggerFault('users/update', toProfile(sent))).toBeUndefined();
    expect(swaggerFault('users/bulkUpdate', { users: [toProfile(sent)] })).toBeUndefined();
    expect(swaggerFault('events/track', toEvent(sent))).toBeUndefined();
    expect(swaggerFault('events/trackBulk', { events: [toEvent(sent)] })).toBeUndefined();
  }
});

test.each([
  ['no e-mail', { email: null }],
  ['no e-mail', { email: '  ' }],
  ['the e-mail does not parse', { email: 'maria.example.com' }],
  ['the e-mail does not parse', { email: 'maria@example.com, james@example.com' }],
  ['no event_time', { event_time: null }],
  ['event_time is unreadable', { event_time: '0000-00-00 00:00:00' }],
  ['event_time is unreadable', { event_time: '2026-02-30 10:00:00' }],
  ['event_time is unreadable', { event_time: '2026-11-20 24:00:00' }],
  ['event_time is unreadable', { event_time: '2026-11-20' }],
  ['event_time is unreadable', { event_time: '20261120' }],
  ['event_time is unreadable', { event_time: '20261120100233' }],
  ['event_time is unreadable', { event_time: '0' }],
  ['event_time is unreadable', { event_time: 'yesterday' }],
  ['no page', { page: null }],
  ['no customer id', { id: null }],
  ['no e-mail; event_time is unreadable', { email: null, event_time: '' }],
])('rejects a row: %s', (reason, changes) => {
  expect(readRow(row(1, changes))).toEqual({ rejected: { row: row(1, changes), reason } });
});

test.each([
  'first&last@example.com',
  'a/b@example.com',
  'sales!@example.com',
  "o'neil+shop@mail.example.co.uk",
  'user@example.xn--p1ai',
  'jürgen@bücher.example',
])('sends to %s', (email) => {
  expect(user(1, { email }).email).toBe(email);
});

test.each([
  'maria',
  'maria@',
  '@example.com',
  'maria@localhost',
  'maria@example.',
  'maria@.com',
  'maria@example..com',
  'maria@-example.com',
  'maria@example-.com',
  'maria@192.0.2.1',
  'maria@example_1.com',
  '.maria@example.com',
  'maria.@example.com',
  'ma..ria@example.com',
  'ma ria@example.com',
  'ma\u0000ria@example.com',
  'Maria <maria@example.com>',
  'maria@james@example.com',
  'maria@example.com;james@example.com',
])('does not send to %j', (email) => {
  expect(readRow(row(1, { email }))).toMatchObject({ rejected: { reason: 'the e-mail does not parse' } });
});

test('reads times with a fraction, and e-mails with surrounding spaces', () => {
  const read = user(1, { event_time: '2026-11-20T10:02:33.250', email: ' Maria@Example.com ' });
  expect(read).toMatchObject({ eventTime: 1795168953, email: 'Maria@Example.com' });
  expect(toEvent(read).dataFields.timestamp).toBe('2026-11-20 10:02:33');
});

test.each([
  '2026-11-20 10:02:33',
  '2026-11-20 10:02:33.999999',
  '2026-11-20T11:02:33,5+0100',
  '2026-11-20t10:02:33z',
  '1795168953',
  '1795168953000',
])('%s is the same instant', (event_time) => {
  const read = user(1, { event_time });
  expect(read.eventTime).toBe(1_795_168_953);
  expect(toEvent(read).dataFields.timestamp).toBe('2026-11-20 10:02:33');
});

test('a row has all eleven columns, as text or null', () => {
  expect(sourceRowSchema.safeParse(row(1)).success).toBe(true);
  expect(sourceRowSchema.safeParse({ ...row(1), id: 1 }).success).toBe(false);
  const { page: _page, ...incomplete } = row(1);
  expect(sourceRowSchema.safeParse(incomplete).success).toBe(false);
});
