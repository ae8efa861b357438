import { createColors } from 'picocolors';
import { inSequence, renderEvents } from '../../../../ops/commands/event-view';

const row = (fields: Readonly<Record<string, string>>): ReadonlyMap<string, string> => new Map(Object.entries(fields));
const at = (seconds: number): string => `2026-01-31 10:00:0${seconds}.000`;

const accepted = (seconds: number, outcome: string, status: string, requestId = 'r1') =>
  row({
    '@timestamp': at(seconds),
    service: 'webhook',
    level: 'INFO',
    message: 'webhook accepted',
    request_id: requestId,
    status,
    outcome,
  });
const downloaded = (seconds: number) =>
  row({
    '@timestamp': at(seconds),
    service: 'download',
    level: 'INFO',
    message: 'order downloaded',
    request_id: 'r1',
    status: 'DOWNLOADED',
  });

const statusesOf = (rows: readonly ReadonlyMap<string, string>[]) => inSequence(rows).map((one) => one.get('status'));

describe('the sequence of events', () => {
  test('begins a round with its notification, which is logged after the send', () => {
    expect(statusesOf([downloaded(1), accepted(2, 'queued', 'NOTIFIED')])).toEqual(['NOTIFIED', 'DOWNLOADED']);
  });

  test.each(['duplicate', 'stale'])('does not go backwards for a %s notification', (outcome) => {
    const rows = [accepted(0, 'queued', 'NOTIFIED'), downloaded(1), accepted(2, outcome, 'NOTIFIED', 'r2')];
    expect(statusesOf(rows)).toEqual(['NOTIFIED', 'DOWNLOADED', undefined]);
  });

  test('keeps the status of a repeated notification that is up to date', () => {
    const rows = [accepted(0, 'queued', 'NOTIFIED'), downloaded(1), accepted(2, 'duplicate', 'DOWNLOADED', 'r2')];
    expect(statusesOf(rows)).toEqual(['NOTIFIED', 'DOWNLOADED', 'DOWNLOADED']);
  });

  test('shows a new round from its beginning', () => {
    const rows = [downloaded(1), accepted(3, 'queued', 'NOTIFIED', 'r2')];
    expect(statusesOf(rows)).toEqual(['DOWNLOADED', 'NOTIFIED']);
  });
});

test('an event is a line, with its other fields below it, in 80 columns', () => {
  const failed = row({
    '@timestamp': at(1),
    service: 'download',
    level: 'WARN',
    message: 'a try failed, will retry',
    error_code: 'API_UNAVAILABLE',
    error: 'Qualia answered 503, and this sentence is so long that it needs a second line on the screen',
    attempt: '1',
    receive: '2',
    wait_seconds: '0.4',
    request_id: '3f2504e0-4f89-11d3-9a0c-0305e82c3301',
  });
  const lines = renderEvents([failed], createColors(false)).split('\n');
  expect(lines.filter((line) => line.length > 80)).toEqual([]);
  expect(lines).toEqual([
    '01-31 10:00:01.000  download    WARN   a try failed, will retry',
    '                    API_UNAVAILABLE  attempt 1  receive 2  wait_seconds 0.4',
    '                    request_id 3f2504e0-4f89-11d3-9a0c-0305e82c3301',
    '                    Qualia answered 503, and this sentence is so long that it',
    '                    needs a second line on the screen',
  ]);
});
