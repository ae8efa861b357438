import { type ConfirmUsersOptions, confirmUsers } from '../../../../lambdas/iterable-push/confirm-users';
import { PipelineError } from '../../../../shared/errors';
import { differingFields, type StoredFields, spread, warningsOf } from '../../../../shared/iterable/confirmation';
import type { PushResult } from '../../../../shared/iterable/push';
import { readLeaver, readRow, toProfile } from '../../../../shared/iterable/rows';
import { createUserParts } from '../../../../shared/iterable/user-parts';
import { row } from '../../../integration/sync/iterable-runs';
import { memoryFolder } from '../../../support/memory-folder';

const call = { success: true, response: { code: 'Success', msg: '' } };
const resultOf = (email: string, overall_success: boolean): PushResult => ({
  record: { email, timestamp: '2026-01-02T03:04:05Z', users_update: call, events_track: call, overall_success },
});

/** Two parts of 10 users, of which every user with an odd id was accepted. */
const start = async (
  readProfile: (email: string, reads: number) => StoredFields | undefined,
  options: Partial<ConfirmUsersOptions> = {},
) => {
  const parts = createUserParts(memoryFolder().folder);
  for (const part of [0, 1]) {
    const rows = Array.from({ length: 10 }, (_, index) => row(10 * part + index + 1));
    const path = parts.rowsPath(part, part === 1);
    await parts.writeRows(path, rows);
    await parts.writeResults(
      path,
      rows.map(({ id, email }) => resultOf(email ?? '', Number(id) % 2 === 1)),
    );
  }
  const reads: string[] = [];
  const waits: number[] = [];
  const confirmation = await confirmUsers({
    parts,
    client: {
      readProfile: async (email) => {
        reads.push(email);
        return readProfile(email, reads.filter((one) => one === email).length);
      },
    },
    context: { deadlineMs: Number.POSITIVE_INFINITY, onRetry: () => undefined },
    sampleSize: 4,
    offset: 0,
    isTimeUp: () => false,
    sleep: async (ms) => waits.push(ms),
    ...options,
  });
  return { confirmation, reads, waits };
};

/** What was sent about the user with an e-mail address. */
const sent = (email: string): StoredFields => {
  const read = readRow(row(Number(/\d+/.exec(email)?.[0])));
  return 'user' in read ? toProfile(read.user).dataFields : {};
};

test('users of all parts whose two calls succeeded are read back', async () => {
  const { confirmation, reads, waits } = await start(sent);
  expect(confirmation).toEqual({ checked: 4, confirmed: 4, differences: [] });
  expect(reads).toEqual([1, 5, 11, 15].map((id) => `user${id}@example.com`));
  expect(waits).toEqual([]);
  expect(warningsOf(confirmation)).toEqual([]);
});

test('a sample larger than the number of users contains all of them, and another offset other users', async () => {
  expect((await start(sent, { sampleSize: 100 })).confirmation.checked).toBe(10);
  const { reads } = await start(sent, { sampleSize: 2, offset: 1 });
  expect(reads).toEqual([3, 13].map((id) => `user${id}@example.com`));
});

test('an update that is applied later is waited for, and only its user is read again', async () => {
  const late = 'user5@example.com';
  const { confirmation, reads, waits } = await start((email, times) =>
    email === late && times < 3 ? { ...sent(email), last_name: 'Old' } : sent(email),
  );
  expect(confirmation).toEqual({ checked: 4, confirmed: 4, differences: [] });
  expect(reads.slice(4)).toEqual([late, late]);
  expect(waits).toEqual([5_000, 10_000]);
});

test('a user who still differs is reported by id and names of fields, without values', async () => {
  const { confirmation, waits } = await start((email) => {
    if (email === 'user5@example.com') return undefined;
    return email === 'user1@example.com' ? { ...sent(email), last_name: 'Old', recent_page_view: false } : sent(email);
  });
  expect(confirmation).toEqual({
    checked: 4,
    confirmed: 2,
    differences: [
      { id: '1', fields: ['last_name', 'recent_page_view'] },
      { id: '5', fields: ['email'] },
    ],
  });
  expect(waits).toEqual([5_000, 10_000, 20_000, 40_000]);
  expect(warningsOf(confirmation)).toEqual(['2 of 4 users that were read back differ from what Iterable accepted']);
});

test('without time for a wait, users are read once', async () => {
  const { confirmation, reads, waits } = await start(() => undefined, { isTimeUp: () => true });
  expect(confirmation.differences).toHaveLength(4);
  expect([reads.length, waits.length]).toEqual([4, 0]);
});

test('a failed call ends the check, and is reported', async () => {
  const refusal = new PipelineError('API_REFUSED', 'Iterable refused the key with 403', {
    api: 'iterable',
    retryable: false,
  });
  const { confirmation } = await start((email) => {
    if (email === 'user11@example.com') throw refusal;
    return sent(email);
  });
  expect(confirmation).toEqual({ checked: 2, confirmed: 2, differences: [], error: refusal.message });
  expect(warningsOf(confirmation)).toEqual([`Users could not be read back: ${refusal.message}`]);
});

test('an error of anything else is thrown', async () => {
  await expect(
    start(() => {
      throw new Error('bug');
    }),
  ).rejects.toThrow('bug');
});

test('a field of another type is compared as text, and a leaver only by recent_page_view', () => {
  const read = readRow(row(1, { candidate: '5' }));
  if (!('user' in read)) throw new Error('The row was rejected');
  const stored = { ...toProfile(read.user).dataFields, candidate: 5, recent_page_view: 'true', more: 1 };
  expect(differingFields(read.user, stored)).toEqual([]);
  const leaver = readLeaver(row(2, { first_name: null, last_name: null, plan_type: null }));
  if (leaver === undefined) throw new Error('The row cannot be read');
  expect(differingFields(leaver, { recent_page_view: true })).toEqual(['recent_page_view']);
});

test('a sample is spread evenly', () => {
  const items = Array.from({ length: 10 }, (_, index) => index);
  expect(spread(items, 3, 0)).toEqual([0, 3, 6]);
  expect(spread(items, 3, 7)).toEqual([1, 4, 7]);
  expect(spread(items, 20, 3)).toEqual(items);
  expect(spread([], 3, 1)).toEqual([]);
});
