import { drainSeconds, findingsOf, groupWaiting } from '../../../../../ops/services/status/findings';
import type { Status } from '../../../../../ops/services/status/status';
import { issue } from '../../../../support/issues';
import { at, heldByCircuit, minutesAgo, statusOf, waitingSince } from './status-fixture';

test('a pause explains waiting orders and silent alarms', () => {
  const pause = {
    part: 'download' as const,
    by: 'arn:aws:sts::1:assumed-role/Operator/jane',
    reason: 'Qualia is moved',
  };
  const status = statusOf({
    pauses: {
      value: [
        {
          pause: { ...pause, since: minutesAgo(60).toISOString(), switches: ['uuid'], until: '2026-01-31T14:00:00Z' },
          isInForce: true,
          isComplete: true,
          silences: ['download-falls-behind'],
        },
      ],
    },
    disabledWorkers: { value: ['download'] },
    waiting: { value: [waitingSince('QO-1', 22)] },
    alarms: {
      value: {
        total: 1,
        raised: [{ name: 'download-falls-behind', since: at, description: '' }],
        silent: ['download-falls-behind'],
      },
    },
  });
  expect(findingsOf(status)).toEqual([
    {
      severity: 'yellow',
      subject: 'paused',
      text: 'download is paused by jane until 2026-01-31 14:00 UTC: Qualia is moved.',
      command: 'resume download',
    },
  ]);
});

test('a stage that is well has no findings', () => {
  expect(findingsOf(statusOf())).toEqual([]);
});

const queue = { worker: 'download' as const, waiting: 0, inFlight: 0, delayed: 0, deadLetters: 2 };
const activity = statusOf().activity;
const failedActivity = 'value' in activity && {
  value: { ...activity.value, lastHour: { ...activity.value.lastHour, failed: 3 } },
};
const pass = { endedAt: minutesAgo(40), known: 300, missing: 2, drifted: 1, stuck: 0, inFlight: 2 };

test.each<[string, Partial<Status>, string]>([
  [
    'an open circuit',
    { circuits: { value: [{ worker: 'download', isOpen: true, openSince: minutesAgo(22) }] } },
    'download makes no calls: Qualia has failed for 22 minutes.',
  ],
  [
    'orders that have been open for too long',
    { waiting: { value: [waitingSince('QO-1', 22), waitingSince('QO-2', 16), waitingSince('QO-3', 14)] } },
    '2 orders open for over 15 minutes, the oldest for 22 minutes.',
  ],
  ['dead letters', { queues: { value: [queue] } }, '2 dead letters of download.'],
  ['failed orders', { ...(failedActivity && { activity: failedActivity }) }, '3 orders failed in the last hour.'],
  [
    'an open issue',
    { issues: { value: [issue({ count: 12 })] } },
    'Open issue: processing API_REFUSED 422 dueDate, 12 failures.',
  ],
  [
    'several open issues',
    {
      issues: {
        value: [issue(), issue({ acknowledged_until: '2026-02-01T00:00:00Z' }), issue({ code: 'ORDER_NOT_FOUND' })],
      },
    },
    'Open issue: processing API_REFUSED 422 dueDate, 1 failure, and 1 other issue.',
  ],
  [
    'a raised alarm',
    {
      alarms: { value: { total: 1, raised: [{ name: 'orders-failed', since: at, description: 'Look.' }], silent: [] } },
    },
    'Alarm orders-failed: Look.',
  ],
  [
    'a worker that is switched off',
    { disabledWorkers: { value: ['processing'] } },
    'The queue of processing is not consumed: its event source mapping is disabled, and no pause explains it.',
  ],
  [
    'missing or drifted orders',
    { lastPass: { value: pass } },
    'The last pass found 2 missing and 1 drifted; their rounds are started.',
  ],
  [
    'a reconciler that does not run',
    { lastPass: { value: { ...pass, endedAt: minutesAgo(181) } } },
    'The reconciler has completed no pass for three hours.',
  ],
  ['no pass at all', { lastPass: { value: undefined } }, 'The reconciler has completed no pass for three hours.'],
  [
    'a failed sync run',
    { syncs: { value: { running: [], last: { name: 'nightly-2', status: 'FAILED', endedAt: at } } } },
    'The last sync run, nightly-2, ended FAILED.',
  ],
])('red: %s', (_, changes, text) => {
  expect(findingsOf(statusOf(changes))).toMatchObject([{ severity: 'red', text }]);
});

test.each<[string, Partial<Status>, string]>([
  [
    'a sync run without some of its results',
    { syncs: { value: { running: [], last: { name: 'nightly-2', status: 'PARTIAL', endedAt: at } } } },
    'The last sync run, nightly-2, ended PARTIAL.',
  ],
  [
    'a disabled schedule',
    { schedules: { value: { on: ['reconciler'], off: ['sync'] } } },
    'No schedule starts the sync.',
  ],
  [
    'a second release',
    {
      releases: {
        value: [
          { version: '2', commit: 'b', functions: ['webhook', 'download'] },
          { version: '1', commit: 'a', functions: ['processing'] },
        ],
      },
    },
    'Another release than most Lambdas runs: processing.',
  ],
  [
    'a part that cannot be read',
    { alarms: { missing: 'AWS refused (AccessDenied)' } },
    'Not known: alarms. AWS refused (AccessDenied).',
  ],
])('yellow: %s', (_, changes, text) => {
  expect(findingsOf(statusOf(changes))).toMatchObject([{ severity: 'yellow', text }]);
});

test('refused bodies that are kept are worth knowing', () => {
  const text = '2 webhooks of an authenticated sender refused in 7 days, and kept.';
  expect(findingsOf(statusOf({ refusedBodies: { value: 2 } }))).toEqual([
    { severity: 'yellow', subject: 'refused', text, command: 'webhooks refused list' },
  ]);
});

test('an acknowledged issue is no finding', () => {
  const acknowledged = issue({ acknowledged_until: '2026-02-01T00:00:00Z' });
  expect(findingsOf(statusOf({ issues: { value: [acknowledged] } }))).toEqual([]);
});

test('a reconciler that nothing schedules, as on this machine, does not miss a pass', () => {
  const status = statusOf({
    schedules: { value: { on: ['sync'], off: ['reconciler'] } },
    lastPass: { value: undefined },
  });
  expect(findingsOf(status)).toEqual([
    { severity: 'yellow', subject: 'paused', text: 'No schedule starts the reconciler.' },
  ]);
});

test('red findings come first', () => {
  const findings = findingsOf(
    statusOf({ schedules: { value: { on: ['reconciler'], off: ['sync'] } }, queues: { value: [queue] } }),
  );
  expect(findings.map(({ severity }) => severity)).toEqual(['red', 'yellow']);
});

test('open orders are grouped by cause, with the earliest next attempt', () => {
  const next = (seconds: number) => new Date(at.getTime() + seconds * 1_000);
  const groups = groupWaiting([
    waitingSince('QO-1', 22, heldByCircuit(next(40))),
    waitingSince('QO-2', 21, heldByCircuit(next(25))),
    waitingSince('QO-3', 1),
  ]);
  expect(groups).toEqual([
    {
      worker: 'download',
      code: 'API_UNAVAILABLE 503',
      isHeldByCircuit: true,
      orders: 2,
      sample: 'QO-1',
      oldestAt: minutesAgo(22),
      nextAttemptAt: next(25),
    },
    {
      worker: 'download',
      code: undefined,
      isHeldByCircuit: false,
      orders: 1,
      sample: 'QO-3',
      oldestAt: minutesAgo(1),
      nextAttemptAt: undefined,
    },
  ]);
});

test.each([
  ['an empty queue', 0, 0, 0],
  ['a queue that is processed', 20, 4, 300],
  ['a queue that nothing leaves', 20, 0, undefined],
])('%s drains in the expected time', (_, waiting, perMinute, seconds) => {
  expect(drainSeconds({ ...queue, waiting }, perMinute)).toBe(seconds);
});
