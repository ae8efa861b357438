import fc from 'fast-check';
import { createComparison } from '../../../../lambdas/iterable-extract/compare-users';
import { changedFields, createDigests } from '../../../../shared/iterable/digests';
import { isViewer, type ReadRow, readRow, type SourceRow } from '../../../../shared/iterable/rows';
import { createSentUsers, startOfSent } from '../../../../shared/iterable/sent-users';
import { createUserParts } from '../../../../shared/iterable/user-parts';
import { memoryFolder } from '../../../support/memory-folder';
import { row } from '../../shared/iterable/sample';

const digests = createDigests('iterable-key-5e8d');

interface RunOptions {
  readonly full?: boolean;
  readonly isLimited?: boolean;
  /** Customers about whom something else was sent since the earlier run. */
  readonly stale?: ReadonlySet<string>;
  /** Sets `recent_page_view` to false for users who left. All customers exist, except those above 10. */
  readonly clear?: boolean;
  /** Rows per part. */
  readonly partSize?: number;
  /** Continues from the stored counts with a new comparison, as another turn does, after each part. */
  readonly turnEach?: boolean;
}

type Folder = ReturnType<typeof memoryFolder>['folder'];

/** Compares rows with the list of an earlier run. */
const compare = async (rows: readonly SourceRow[], base: Folder | undefined, options: RunOptions = {}) => {
  const { full = false, isLimited = false, clear = false, partSize = 3, turnEach = false, stale } = options;
  const { folder } = memoryFolder();
  const parts = createUserParts(folder);
  const create = () =>
    createComparison({
      parts,
      folder,
      base,
      digests,
      full,
      isLimited,
      ...(stale && { stale }),
      readLeavers: clear
        ? async function* (ids) {
            yield* ids.filter((id) => Number(id) <= 10).map((id) => row(Number(id)));
          }
        : undefined,
    });
  let comparison = create();
  let state = comparison.begin();
  const nextTurn = () => {
    if (!turnEach) return;
    comparison = create();
    state = JSON.parse(JSON.stringify(state));
  };
  for (let first = 0; first < rows.length; first += partSize) {
    const reads: ReadRow[] = rows.slice(first, first + partSize).map(readRow);
    state = await comparison.addRows(state, reads);
    nextTurn();
  }
  const baseParts = base === undefined ? 0 : await createSentUsers(base).countParts();
  for (let part = 0; part < baseParts; part++) {
    state = await comparison.addRest(state, part);
    nextTurn();
  }
  const compared = await comparison.end(state);
  await parts.writeExtracted({ rows: rows.length, rejected: 0, compared });
  const sentIds: (string | null)[] = [];
  const clearedIds: (string | null)[] = [];
  for (const path of await parts.listToSend()) {
    for (const user of await parts.readUsers(path)) (isViewer(user) ? sentIds : clearedIds).push(user.row.id);
  }
  return { folder, compared, sentIds, clearedIds };
};

const readList = async (folder: Folder) => {
  const reader = await createSentUsers(folder).open(startOfSent);
  const ids: string[] = [];
  for (let user = await reader.peek(); user; user = await reader.peek()) {
    ids.push(user.digest === undefined ? `${user.id}!` : user.id);
    reader.skip();
  }
  return ids;
};

test('a first run sends everyone; the next one only who was added, changed, failed or was rejected', async () => {
  const first = await compare([row(2), row(9), row(10), row(11), row(100)], undefined);
  expect(first.compared).toMatchObject({ added: 5, changed: 0, unchanged: 0, removed: 0, to_send: 5 });
  await createSentUsers(first.folder).writeFailed('000000', ['10']);
  const second = await compare(
    [row(2), row(9, { last_name: 'New', location: 'Rome' }), row(10), row(11, { email: null }), row(12)],
    first.folder,
  );
  expect(second.compared).toMatchObject({ added: 1, changed: 2, unchanged: 1, removed: 1, to_send: 3 });
  expect(second.sentIds).toEqual(['9', '10', '12']);
  expect(second.compared.samples).toEqual([
    { id: '9', fields: ['last_name', 'location'] },
    { id: '10', fields: [] },
  ]);
  expect(await readList(second.folder)).toEqual(['2', '9', '10', '11!', '12']);
});

test('`full` sends everyone and lists the same users', async () => {
  const first = await compare([row(1), row(2)], undefined);
  const second = await compare([row(1), row(2, { candidate: 'Kim' })], first.folder, { full: true });
  expect(second.compared).toMatchObject({ changed: 1, unchanged: 1, to_send: 2 });
  expect(second.sentIds).toEqual(['1', '2']);
  expect(await readList(second.folder)).toEqual(['1', '2']);
});

test('the columns that are not sent make no user changed', async () => {
  const first = await compare([row(1)], undefined);
  const { compared } = await compare([row(1, { browser: 'Opera' })], first.folder);
  expect(compared.unchanged).toBe(1);
});

test('rows that are not sorted by customer id end the run', async () => {
  await expect(compare([row(10), row(9)], undefined)).rejects.toMatchObject({ code: 'BAD_PAYLOAD' });
});

test('a digest depends on the key, and names the changed fields', () => {
  const read = readRow(row(1));
  const other = readRow(row(1, { email: 'new@example.com', device: 'mobile', event_time: '2026-01-02 03:04:06' }));
  if (!('user' in read && 'user' in other)) throw new Error('The rows are valid');
  const full = digests.full(read.user, digests.ofPayloads(read.user));
  expect(createDigests('another-key').ofPayloads(read.user)).not.toBe(digests.ofPayloads(read.user));
  expect(changedFields(full, digests.full(other.user, digests.ofPayloads(other.user)))).toEqual([
    'email',
    'browser',
    'timestamp',
  ]);
});

test('parts to send are full except the last', async () => {
  const rows = Array.from({ length: 4_500 }, (_, index) => row(index + 1));
  const first = await compare(rows, undefined, { partSize: 1_000 });
  const changed = rows.map((one, index) => (index % 20 === 0 ? { ...one, candidate: 'Kim' } : one));
  const second = await compare(changed, first.folder, { partSize: 1_000 });
  expect([...(await first.folder.list('iterable/parts/changed/'))]).toHaveLength(5);
  expect([...(await second.folder.list('iterable/parts/changed/'))]).toHaveLength(1);
  expect(second.compared).toMatchObject({ changed: 225, unchanged: 4_275, to_send: 225 });
});

/** What Iterable has of each user, and what is known to be wrong there: a simple model of several runs. */
test('over any sequence of runs, as a simple model: who is sent, counted and listed', async () => {
  const user = fc.record({ id: fc.integer({ min: 1, max: 12 }), version: fc.integer({ min: 0, max: 2 }) });
  const run = fc.record({
    users: fc.uniqueArray(user, { selector: ({ id }) => id, maxLength: 10 }),
    failing: fc.uniqueArray(fc.integer({ min: 1, max: 12 }), { maxLength: 3 }),
    rejected: fc.uniqueArray(fc.integer({ min: 1, max: 12 }), { maxLength: 2 }),
    stale: fc.uniqueArray(fc.integer({ min: 1, max: 12 }), { maxLength: 3 }),
    full: fc.boolean(),
    clear: fc.boolean(),
    limit: fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined }),
    partSize: fc.integer({ min: 1, max: 4 }),
    turnEach: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(run, { minLength: 2, maxLength: 5 }), async (runs) => {
      let base: Folder | undefined;
      /** The version that was acknowledged; undefined if it must be sent again. */
      let model = new Map<number, number | undefined>();
      /** Users who left the query of the run before, if it cleared them. Those above 10 no longer existed. */
      let leftBefore: readonly number[] = [];
      for (const { users, failing, rejected, stale, full, clear, limit, partSize, turnEach } of runs) {
        for (const id of stale) if (model.has(id) || leftBefore.includes(id)) model.set(id, undefined);
        const all = users.toSorted((a, b) => a.id - b.id);
        const selected = limit === undefined ? all : all.slice(0, limit);
        const isLimited = limit !== undefined && selected.length >= limit;
        const rows = selected.map(({ id, version }) =>
          row(id, { candidate: `v${version}`, ...(rejected.includes(id) && { email: 'none' }) }),
        );
        const result = await compare(rows, base, {
          full,
          isLimited,
          stale: new Set(stale.map(String)),
          clear,
          partSize,
          turnEach,
        });

        const lastId = selected.at(-1)?.id ?? 0;
        const expected = { added: 0, changed: 0, unchanged: 0, removed: 0 };
        const next = new Map<number, number | undefined>();
        const sent: string[] = [];
        const cleared: number[] = [];
        const left: number[] = [];
        for (const { id, version } of selected) {
          if (rejected.includes(id)) {
            if (model.has(id)) next.set(id, undefined);
            continue;
          }
          const kind = !model.has(id) ? 'added' : model.get(id) === version ? 'unchanged' : 'changed';
          expected[kind] += 1;
          const isSent = full || kind !== 'unchanged';
          if (isSent) sent.push(String(id));
          next.set(id, isSent && failing.includes(id) ? undefined : version);
        }
        for (const [id, version] of model) {
          if (selected.some((one) => one.id === id)) continue;
          if (isLimited && id > lastId) next.set(id, version);
          else {
            expected.removed += 1;
            if (clear) left.push(id);
            if (!clear || id > 10) continue;
            cleared.push(id);
            if (failing.includes(id)) next.set(id, undefined);
          }
        }
        expect(result.compared).toMatchObject({
          ...expected,
          clearing: cleared.length,
          to_send: sent.length + cleared.length,
        });
        cleared.sort((a, b) => a - b);
        expect(result.clearedIds).toEqual(cleared.map(String));
        expect(result.sentIds).toEqual(sent);
        const failed = sent.filter((id) => failing.includes(Number(id)));
        if (failed.length > 0) await createSentUsers(result.folder).writeFailed('000000', failed);
        const notCleared = cleared.filter((id) => failing.includes(id)).map(String);
        if (notCleared.length > 0) await createSentUsers(result.folder).writeFailed('left-000000', notCleared);
        const list = [...next]
          .sort(([a], [b]) => a - b)
          .map(([id, version]) => (version === undefined ? `${id}!` : String(id)));
        expect(await readList(result.folder)).toEqual(list);
        expect(result.compared.list.users).toBe(next.size - notCleared.length);
        base = result.folder;
        model = next;
        leftBefore = left;
      }
    }),
    { numRuns: 100 },
  );
});
