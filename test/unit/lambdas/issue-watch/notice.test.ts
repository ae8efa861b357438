import { noticeFor, renderNotice } from '../../../../lambdas/issue-watch/notice';
import { episodeOf, type Issue } from '../../../../shared/issues/issue';
import { issue } from '../../../support/issues';

const nowMs = Date.parse('2026-01-02T00:00:00.000Z');
/** An issue about whose present state a notification was sent. */
const notified = (fields: Partial<Issue> = {}, notified_count = fields.count ?? 1) => {
  const present = issue(fields);
  return { ...present, notified: episodeOf(present), notified_count };
};
const resolved = { resolved_at: '2026-01-01T06:00:00.000Z', resolved_count: 1, resolved_by: 'quiet' } as const;
const returned = { ...resolved, last_seen: '2026-01-01T07:00:00.000Z', count: 3 };

test.each<[string, Issue, ReturnType<typeof noticeFor>]>([
  ['a new issue', issue(), 'opened'],
  ['an open issue that was notified', notified(), undefined],
  ['nine times as many failures', notified({ count: 9 }, 1), undefined],
  ['ten times as many failures', notified({ count: 10 }, 1), 'grew'],
  ['ten times as many as the last notification counted', notified({ count: 100 }, 10), 'grew'],
  ['an acknowledged issue', issue({ acknowledged_until: '2026-01-03T00:00:00.000Z' }), undefined],
  [
    'growth of an acknowledged issue',
    notified({ count: 10, acknowledged_until: '2026-01-03T00:00:00.000Z' }, 1),
    undefined,
  ],
  [
    'growth after its acknowledgement ended',
    notified({ count: 10, acknowledged_until: '2026-01-01T12:00:00.000Z' }, 1),
    'grew',
  ],
  ['a resolved issue', { ...notified(), ...resolved }, 'recovered'],
  ['a resolved issue that was notified', notified(resolved), undefined],
  ['an issue that was resolved before any notification', issue(resolved), undefined],
  ['an issue that returned', { ...notified(resolved), ...returned }, 'reopened'],
  ['an issue that returned before its recovery was notified', { ...notified(), ...returned }, 'reopened'],
  ['an issue that returned and was notified', notified(returned, 2), undefined],
  ['an issue that returned by a repeated failure only', notified({ ...returned, count: 1 }, 0), undefined],
])('%s', (_, of, expected) => {
  expect(noticeFor(of, nowMs)).toBe(expected);
});

test('a notification has count, cause, release, sample, runbook heading and the next commands', () => {
  expect(renderNotice('reopened', issue(returned), 'prod')).toEqual({
    subject: '[prod] Issue reopened: processing API_REFUSED 422 dueDate',
    message: [
      'Orders fail again with a cause that was resolved at 2026-01-01T06:00:00.000Z.',
      '',
      'cause    processing API_REFUSED 422 dueDate',
      'failed   2, 3 in all, the last at 2026-01-01T07:00:00.000Z',
      'release  began in 1.0.0 (abc1234), last in 1.0.0 (abc1234)',
      'sample   QO-1',
      'runbook  docs/runbook.md#orders-failed',
      'look     npx pipeline --stage prod issues get d0434cbf',
      'then     npx pipeline --stage prod issues replay d0434cbf',
    ].join('\n'),
  });
});

test.each([
  ['opened', {}, 'Orders fail with a new cause.'],
  ['grew', { count: 20, notified_count: 2 }, 'The last notification counted 2.'],
  ['recovered', resolved, 'No order has failed with this cause for 24 hours, and none is left.'],
  ['recovered', { ...resolved, resolved_by: 'operator' as const }, 'An operator resolved it.'],
] as const)('%s is explained', (kind, fields, explanation) => {
  const { message } = renderNotice(kind, issue(fields), 'prod');
  expect(message.split('\n')[0]).toBe(explanation);
  expect(message.includes('issues replay')).toBe(kind !== 'recovered');
});

test('a subject is ASCII and not longer than SNS accepts', () => {
  const { subject } = renderNotice('opened', issue({ detail: `ü${'x'.repeat(200)}` }), 'prod');
  expect(subject).toHaveLength(100);
  expect(subject).toMatch(/^[\x20-\x7e]+$/);
});
