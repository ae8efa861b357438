import { explainOrder } from '../../../../../ops/services/explain/order';
import type { Tries } from '../../../../../ops/services/order-log/tries';
import { orderItem } from '../order-log/order-lines';

const round = '001769853600000-000000000000';
const nowMs = Date.parse('2026-01-31T12:00:00Z');
const earlierRound = '001769767200000-000000000000';
const downloaded = {
  downloaded_at: '2026-01-31T10:00:01.000Z',
  s3_key: 'raw/QO-1/1.json',
  checksum: 'a'.repeat(64),
  payload_size: 1,
};
const processed = { ...downloaded, status: 'PROCESSED', processed_at: '2026-01-31T10:00:02.000Z' };

const textsOf = (changes: object, tries?: Tries) => {
  const { answer, summary, reasons } = explainOrder(orderItem(changes), tries, nowMs);
  return [`${answer}: ${summary}`, ...reasons.map(({ text }) => text)];
};

test('an order that its newest round posted', () => {
  expect(textsOf({ ...processed, posted_round: round })).toEqual(['yes: posted 10:00', 'posted in its newest round']);
});

test('an order that is unchanged since an earlier round posted it', () => {
  const unchanged = orderItem({ ...processed, posted_round: earlierRound });
  const { summary, reasons } = explainOrder(unchanged, undefined, nowMs);
  expect(summary).toBe('posted 30 Jan, unchanged since');
  expect(reasons).toEqual([
    { at: new Date(1_769_767_200_000), text: 'posted in the round of this time' },
    {
      at: new Date('2026-01-31T10:00:02Z'),
      text: 'unchanged since: its newest round maps to the same body, so nothing was posted',
    },
  ]);
});

test('an order that is unchanged since it was posted on the same day', () => {
  const posted_round = '001769825460000-000000000000';
  expect(textsOf({ ...processed, posted_round })[0]).toBe('yes: posted 02:11, unchanged since');
});

test('an order that an earlier release closed', () => {
  expect(textsOf(processed)).toEqual(['yes: closed 10:00', 'closed by its newest round']);
});

test('an order that was sent without a value', () => {
  const warnings = [{ code: 'BAD_DATE', field: 'due_date' }];
  expect(textsOf({ ...processed, posted_round: round, warnings })).toContain(
    'sent without due_date, which could not be read (BAD_DATE)',
  );
});

test('an order that failed, after an earlier round was posted', () => {
  const error = { code: 'UNKNOWN_STATE', message: 'A state', stage: 'processing' };
  const failed = { status: 'FAILED', failed_at: '2026-01-31T10:00:02.000Z', error, posted_round: earlierRound };
  expect(textsOf(failed)).toEqual([
    'no: not sent: UNKNOWN_STATE',
    'processing failed with UNKNOWN_STATE: A state',
    'the internal API has the state of an earlier round, which began at this time',
  ]);
});

test('an order that waits', () => {
  const at = new Date('2026-01-31T10:01:00Z');
  const lastFailure = { at, code: 'API_UNAVAILABLE', error: undefined, api: 'qualia', statusCode: 503 };
  const tries: Tries = {
    worker: 'download',
    attempts: 4,
    receives: 2,
    lastReceive: 2,
    lastFailure,
    isHeldByCircuit: false,
    nextAttemptAt: at,
  };
  expect(textsOf({}, tries)).toEqual([
    'not yet: waits for Qualia',
    'notified; it waits for download, which calls Qualia',
    'the last of 4 failed calls: API_UNAVAILABLE 503',
    'the next attempt is due',
  ]);
  expect(textsOf({ ...downloaded, status: 'DOWNLOADED' })).toEqual([
    'not yet: waits for the internal API',
    'notified; it waits for processing, which calls the internal API',
  ]);
});
