import {
  describeCause,
  episodeCountOf,
  episodeOf,
  isReopened,
  runbookOf,
  stateOf,
} from '../../../../shared/issues/issue';
import { issue } from '../../../support/issues';

const nowMs = Date.parse('2026-01-02T00:00:00.000Z');
const resolved = { resolved_at: '2026-01-01T06:00:00.000Z', resolved_count: 3 };

test.each([
  ['open', 'a failure', {}],
  ['acknowledged', 'a time in the future', { acknowledged_until: '2026-01-02T00:00:01.000Z' }],
  ['open', 'a time that has passed', { acknowledged_until: '2026-01-02T00:00:00.000Z' }],
  ['resolved', 'no failure after its resolution', { ...resolved, last_seen: resolved.resolved_at }],
  ['open', 'a failure after its resolution', { ...resolved, last_seen: '2026-01-01T06:00:00.001Z' }],
])('an issue is %s with %s', (state, _with, fields) => {
  expect(stateOf(issue(fields), nowMs)).toBe(state);
});

test('an issue that returns is reopened, counts anew and is another episode', () => {
  const before = issue({ ...resolved, last_seen: resolved.resolved_at, count: 3 });
  const after = issue({ ...resolved, last_seen: '2026-01-01T07:00:00.000Z', count: 5 });
  expect([issue(), before, after].map(isReopened)).toEqual([false, false, true]);
  expect([issue({ count: 3 }), before, after].map(episodeCountOf)).toEqual([3, 3, 2]);
  expect([issue(), before, after].map(episodeOf)).toEqual([
    'open first',
    `resolved ${resolved.resolved_at}`,
    `open ${resolved.resolved_at}`,
  ]);
});

test('a cause is described by its parts, and has a runbook heading', () => {
  expect(describeCause(issue())).toBe('processing API_REFUSED 422 dueDate');
  expect(describeCause(issue({ code: 'ORDER_NOT_FOUND', status_code: undefined, detail: undefined }))).toBe(
    'processing ORDER_NOT_FOUND',
  );
  expect(runbookOf({ code: 'API_REFUSED' })).toBe('orders-failed');
  expect(runbookOf({ code: 'RETRIES_EXHAUSTED' })).toBe('dead-letter-queue-not-empty');
});
