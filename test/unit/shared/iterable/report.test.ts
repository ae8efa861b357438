import { neededFor } from '../../../../shared/iterable/limits';
import { pushResultSchema, readLines, toLine } from '../../../../shared/iterable/parts';
import type { PushResult } from '../../../../shared/iterable/push';
import {
  countReasons,
  countRecord,
  failedCsv,
  fewFailed,
  integrationResults,
  noCounts,
  overHalfFailed,
  type PushSummary,
  queryResultsCsv,
  rejectedCsv,
  unusualNumber,
} from '../../../../shared/iterable/report';
import { sourceRowSchema } from '../../../../shared/iterable/rows';
import { row, stream } from './sample';

const call = (success: boolean) => ({
  success,
  response: success ? { code: 'Success', msg: '' } : { code: 'BadParams', msg: 'no, "never"' },
});
const result = (id: number, updated: boolean, tracked: boolean): PushResult => ({
  record: {
    email: `user${id}@example.com`,
    timestamp: '2026-11-22T10:00:00.000Z',
    users_update: call(updated),
    events_track: call(tracked),
    overall_success: updated && tracked,
  },
  ...(!(updated && tracked) && { failedRow: row(id) }),
});
const results = [result(1, true, true), result(2, true, false), result(3, false, false)];

const summary: PushSummary = {
  total_users: 3,
  successful: 1,
  partial_failures: 1,
  total_failures: 1,
  rejected: 2,
  retries: 4,
  authentication: 'api_key',
  mode: 'bulk',
  dry_run: false,
  started_at: '2026-11-22T10:00:00.000Z',
  finished_at: '2026-11-22T10:00:05.000Z',
  duration_seconds: 5,
};

test.each([0, 1, 3])('integration results of %i have the keys of the contract, in its order', (count) => {
  const records = results.slice(0, count).map(({ record }) => record);
  const { header, record, footer } = integrationResults;
  const text = header(summary) + records.map((each, index) => record(each, index === 0)).join('') + footer;
  const report = JSON.parse(text);
  expect(report).toEqual({ ...summary, records });
  expect(Object.keys(report)).toEqual([...Object.keys(summary), 'records']);
  expect(text.split('\n')).toHaveLength(count + 3);
});

test('counts success, partial and failure', () => {
  const counts = results.reduce((before, { record }) => countRecord(before, record), noCounts);
  expect(counts).toEqual({ total_users: 3, successful: 1, partial_failures: 1, total_failures: 1 });
});

test('the job has failed if over half of its users failed', () => {
  const counts = { successful: 0, partial_failures: 0 };
  expect(overHalfFailed({ ...counts, total_users: 4, total_failures: 2 })).toBe(false);
  expect(overHalfFailed({ ...counts, total_users: 4, total_failures: 3 })).toBe(true);
  expect(overHalfFailed({ ...counts, total_users: 0, total_failures: 0 })).toBe(false);
});

test.each([
  ['one of 20', 20, 1, 1, true],
  ['one of 19', 19, 1, 1, false],
  ['two of 20', 20, 2, 1, false],
  ['1 %', 10_000, 100, 1, true],
  ['over 1 %', 10_000, 101, 1, false],
  ['one, if none is tolerated', 10_000, 1, 0, false],
  ['none, if none is tolerated', 10_000, 0, 0, true],
  ['none of none', 0, 0, 1, true],
])('%s failed: few or not', (_, total_users, failed, percent, expected) => {
  const half = Math.floor(failed / 2);
  const counts = { successful: total_users - failed, partial_failures: half, total_failures: failed - half };
  expect(fewFailed({ ...counts, total_users }, percent)).toBe(expected);
  // A run that compares sends only the others.
  expect(fewFailed({ ...counts, successful: 0, total_users: failed }, percent, total_users)).toBe(expected);
});

test('query results are CSV of all eleven columns', () => {
  expect(queryResultsCsv.header).toBe(
    'id,email,first_name,last_name,plan_type,candidate,page,device,browser,location,event_time\n',
  );
  expect(queryResultsCsv.line(row(1, { candidate: 'Gold, "Inc."', device: null, last_name: '=A1' }))).toBe(
    `1,user1@example.com,Maria,'=A1,pro,"Gold, ""Inc.""",pricing,,Chrome,"New York, NY",2026-11-20 10:02:33\n`,
  );
});

test('rejected rows have the reason', () => {
  expect(rejectedCsv.header).toMatch(/,event_time,reason\n$/);
  expect(rejectedCsv.line({ row: row(1, { email: null }), reason: 'no e-mail' })).toMatch(/^1,,Maria,.*,no e-mail\n$/);
  expect(rejectedCsv.line({ row: row(1, { email: '@A1' }), reason: 'no e-mail' })).toMatch(/^1,'@A1,/);
});

test('failed users have the failed call and its response', () => {
  expect(failedCsv.header).toMatch(/,event_time,call,code,message\n$/);
  expect(results.map(failedCsv.line)).toEqual([
    '',
    expect.stringMatching(/^2,user2@example\.com,.*,events_track,BadParams,"no, ""never"""\n$/),
    expect.stringMatching(/^3,user3@example\.com,.*,users_update,BadParams,"no, ""never"""\n$/),
  ]);
});

describe('parts', () => {
  const bytesOf = (text: string, size: number) => {
    const bytes = Buffer.from(text);
    return Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
      bytes.subarray(index * size, (index + 1) * size),
    );
  };

  test.each([1, 7, 100_000])('are read unchanged, in chunks of %d bytes', async (size) => {
    const rows = [row(1, { first_name: '宏' }), row(2, { location: 'a\nb' })];
    expect(await readLines(stream(bytesOf(rows.map(toLine).join(''), size)), sourceRowSchema)).toEqual(rows);
    const written = results.map(toLine).join('').trimEnd();
    expect(await readLines(stream(bytesOf(written, size)), pushResultSchema)).toEqual(results);
  });

  test('no line is returned before the last is read, so that the connection does not idle', async () => {
    let ended = false;
    const body = async function* () {
      for (const id of [1, 2]) yield Buffer.from(toLine(row(id)));
      ended = true;
    };
    for (const _row of await readLines(body(), sourceRowSchema)) expect(ended).toBe(true);
    expect.assertions(2);
  });

  test('an unreadable line is reported by its number, without its content', async () => {
    const lines = stream([Buffer.from(`${toLine(row(1))}{"email":"maria@example.com"}\n`)]);
    await expect(readLines(lines, sourceRowSchema)).rejects.toMatchObject({
      code: 'BAD_PAYLOAD',
      message: 'Line 2 of a part cannot be read',
    });
  });
});

test('reasons are counted, the most frequent first', () => {
  const failures = [
    { error_code: 'API_REFUSED', reason: 'invalidEmails', count: 2 },
    { error_code: 'API_REFUSED', reason: 'forgottenEmails', count: 7 },
  ] as const;
  expect(countReasons({ 'no e-mail': 3 }, failures)).toEqual([
    { outcome: 'failed', error_code: 'API_REFUSED', reason: 'forgottenEmails', count: 7 },
    { outcome: 'rejected', reason: 'no e-mail', count: 3 },
    { outcome: 'failed', error_code: 'API_REFUSED', reason: 'invalidEmails', count: 2 },
  ]);
});

test.each([
  [{ rows: 0 }, 'The query returned no users'],
  [{ rows: 1 }, undefined],
  [{ rows: 50, usual_users: 100 }, undefined],
  [{ rows: 49, usual_users: 100 }, 'The query returned 49 users, less than half of the usual 100'],
])('%j is unusual: %s', (numbers, warning) => expect(unusualNumber(numbers)).toBe(warning));

test('the calls and minutes that users need at the limits', () => {
  expect(neededFor('bulk', 1_000_001, 999_000)).toEqual({ users_update: 1_001, events_track: 999, minutes: 3.4 });
  expect(neededFor('single', 90_000, 90_000)).toEqual({ users_update: 90_000, events_track: 90_000, minutes: 3 });
  expect(neededFor('bulk', 0, 0)).toEqual({ users_update: 0, events_track: 0, minutes: 0 });
});
