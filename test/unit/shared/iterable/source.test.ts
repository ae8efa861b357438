import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { inspect } from 'node:util';
import { loadSampleUsers } from '../../../../local/sample/users';
import { resumeWhenLost } from '../../../../shared/iterable/resume';
import { readRow } from '../../../../shared/iterable/rows';
import {
  cutoffOf,
  databaseSecretSchema,
  openUserSource,
  parseDatabaseUrl,
  type UserQuery,
} from '../../../../shared/iterable/source';
import { collect, row } from './sample';

const nowMs = Date.parse('2026-11-22T10:15:00Z');
const query: UserQuery = { plan: 'pro', pages: ['pricing', 'settings'], cutoff: cutoffOf(nowMs, 7), limit: 0 };

test('the cutoff is the start of a day, UTC', () => {
  expect(cutoffOf(nowMs, 7)).toBe('2026-11-15 00:00:00');
  expect(cutoffOf(Date.parse('2026-03-01T23:59:59Z'), 1)).toBe('2026-02-28 00:00:00');
});

describe('SQLite, with the sample', () => {
  let folder: string;
  let file: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'users-'));
    file = join(folder, 'users.sqlite');
    loadSampleUsers(file, nowMs);
    loadSampleUsers(file, nowMs);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const rowsOf = async (changes: Partial<UserQuery> = {}) => {
    const source = await openUserSource(parseDatabaseUrl(`sqlite:${file}`));
    return collect(source.rows({ ...query, ...changes }));
  };
  const views = async (changes?: Partial<UserQuery>) =>
    (await rowsOf(changes)).map(({ id, page, event_time }) => [id, page, event_time?.slice(5, 10)]);

  test('has 15 customers and 40 page views', () => {
    const database = new DatabaseSync(file);
    const count = (table: string) => database.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.n;
    expect([count('customers'), count('page_views')]).toEqual([15, 40]);
    database.close();
  });

  test('returns the id and e-mail address of customers who left, and of no others', async () => {
    const { leavers } = await openUserSource(parseDatabaseUrl(`sqlite:${file}`));
    const rows = await collect(leavers(['10', '2', '999']));
    expect(rows.map(({ id }) => id)).toEqual(['2', '10']);
    expect(rows.every(({ email, page, first_name }) => email !== null && page === null && first_name === null)).toBe(
      true,
    );
  });

  test.each([
    ['1', [['pro', '2026-11-21 10:02:33']]],
    ['4', [['free', expect.any(String)]]],
    ['999', []],
  ])('returns the plan and the latest view of customer %s, and no personal data', async (id, expected) => {
    const { customer } = await openUserSource(parseDatabaseUrl(`sqlite:${file}`));
    const rows = await collect(customer(id, ['pricing', 'settings']));
    expect(rows.map(({ plan_type, event_time }) => [plan_type, event_time])).toEqual(expected);
    expect(rows.every(({ email, first_name, location }) => email ?? first_name ?? location ?? true)).toBe(true);
  });

  test('returns the latest view of each customer, ordered by customer', async () => {
    expect(await views()).toEqual([
      ['1', 'pricing', '11-21'],
      ['2', 'pricing', '11-19'],
      // Two views at the same time: the one with the higher id is returned.
      ['3', 'pricing', '11-18'],
      ['5', 'settings', '11-20'],
      ['7', 'pricing', '11-21'],
      ['8', 'settings', '11-18'],
      ['10', 'pricing', '11-19'],
      ['12', 'pricing', '11-20'],
      ['13', 'settings', '11-19'],
    ]);
  });

  test('has rows that are rejected', async () => {
    const reasons = (await rowsOf()).flatMap((row) => {
      const read = readRow(row);
      return 'rejected' in read ? [read.rejected.reason] : [];
    });
    expect(reasons).toEqual(['the e-mail does not parse', 'no e-mail']);
  });

  test('returns every column as text or null', async () => {
    expect((await rowsOf({ afterId: '8', limit: 1 }))[0]).toEqual({
      id: '10',
      email: 'jonas.example@example.com',
      first_name: null,
      last_name: null,
      plan_type: 'pro',
      candidate: null,
      page: 'pricing',
      device: null,
      browser: null,
      location: null,
      event_time: '2026-11-19 11:11:11',
    });
  });

  test('filters by plan, pages, days, limit and the last customer', async () => {
    expect((await views({ plan: 'free' })).map(([id]) => id)).toEqual(['4']);
    expect(await views({ pages: ['docs'] })).toEqual([
      ['3', 'docs', '11-20'],
      ['15', 'docs', '11-20'],
    ]);
    expect((await views({ cutoff: cutoffOf(nowMs, 1) })).map(([id]) => id)).toEqual(['1', '7']);
    expect((await views({ cutoff: cutoffOf(nowMs, 30) })).map(([id]) => id)).toContain('11');
    expect((await views({ limit: 3 })).map(([id]) => id)).toEqual(['1', '2', '3']);
    expect((await views({ limit: 2, afterId: '3' })).map(([id]) => id)).toEqual(['5', '7']);
  });

  describe('missing columns', () => {
    const missingAfter = async (name: string, sql: string) => {
      const changed = join(folder, name);
      loadSampleUsers(changed, nowMs);
      const database = new DatabaseSync(changed);
      database.exec(`PRAGMA foreign_keys = OFF; ${sql}`);
      database.close();
      return (await openUserSource(parseDatabaseUrl(`sqlite:${changed}`))).missingColumns();
    };

    test('there are none in the sample', async () => {
      expect(await missingAfter('complete.sqlite', '')).toEqual([]);
    });

    test('all of them are found, not only the first', async () => {
      const sql = 'ALTER TABLE customers DROP COLUMN candidate; ALTER TABLE page_views RENAME COLUMN device TO gadget';
      expect(await missingAfter('renamed.sqlite', sql)).toEqual(['customers.candidate', 'page_views.device']);
    });

    test('without a table, they are its columns', async () => {
      expect(await missingAfter('dropped.sqlite', 'DROP TABLE page_views')).toEqual(
        ['id', 'user_id', 'page', 'device', 'browser', 'location', 'event_time'].map((name) => `page_views.${name}`),
      );
    });

    test('a database without any of them is refused as a whole', async () => {
      const source = await openUserSource(parseDatabaseUrl(`sqlite:${folder}/none.sqlite`));
      await expect(source.missingColumns()).rejects.toMatchObject({ code: 'CONNECTION_FAULT', retryable: false });
    });
  });

  test('a customer id beyond 2^53 keeps its digits', async () => {
    const large = join(folder, 'large.sqlite');
    loadSampleUsers(large, nowMs);
    const database = new DatabaseSync(large);
    database.exec(`PRAGMA foreign_keys = OFF;
      UPDATE customers SET id = 9007199254740993 WHERE id = 13;
      UPDATE page_views SET user_id = 9007199254740993 WHERE user_id = 13`);
    database.close();
    const source = await openUserSource(parseDatabaseUrl(`sqlite:${large}`));
    expect((await collect(source.rows(query))).at(-1)?.id).toBe('9007199254740993');
  });

  test('a consumer that stops early closes the file', async () => {
    const source = await openUserSource(parseDatabaseUrl(`sqlite:${file}`));
    for await (const _ of source.rows(query)) break;
    expect(await views()).toHaveLength(9);
  });

  test('a missing file is a fault, and is not created', async () => {
    const source = await openUserSource(parseDatabaseUrl(`sqlite:${folder}/none.sqlite`));
    await expect(collect(source.rows(query))).rejects.toMatchObject({ code: 'CONNECTION_FAULT', retryable: false });
  });
});

describe('the database', () => {
  test.each([
    [
      'mysql://app:p%40ss@db.example.com/shop',
      { host: 'db.example.com', port: 3306, user: 'app', password: 'p@ss', database: 'shop', socketPath: undefined },
    ],
    [
      'mariadb://root@localhost:3307/shop?socket=/run/mysqld.sock',
      { host: 'localhost', port: 3307, user: 'root', password: '', database: 'shop', socketPath: '/run/mysqld.sock' },
    ],
  ])('can be the URL %s', (url, database) => {
    expect(parseDatabaseUrl(url)).toEqual({ kind: 'mysql', ...database });
  });

  test.each(['', 'postgres://u:secret@host/db', 'mysql://u:secret@host', 'sqlite:', 'nonsense'])(
    'cannot be the URL %j',
    (url) => {
      expect(() => parseDatabaseUrl(url)).toThrow(
        expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.not.stringContaining('secret') }),
      );
    },
  );

  test('can be a secret of RDS', () => {
    const secret = { username: 'app', password: 'x', engine: 'mysql', host: 'db', port: '3306', dbname: 'shop' };
    expect(databaseSecretSchema.parse(secret)).toEqual({
      kind: 'mysql',
      host: 'db',
      port: 3306,
      user: 'app',
      password: 'x',
      database: 'shop',
    });
    expect(databaseSecretSchema.safeParse({ ...secret, dbname: undefined }).success).toBe(false);
  });
});

describe('a lost connection', () => {
  const lost = (code: string) => Object.assign(new Error('lost'), { code });

  /** Reads customers 1 to 7, and loses the connection after these numbers of rows. */
  const losing = (rowsEach: number, code = 'PROTOCOL_CONNECTION_LOST') => {
    const queries: [afterId: string | undefined, limit: number][] = [];
    const waits: number[] = [];
    const read = async function* ({ afterId, limit }: UserQuery) {
      queries.push([afterId, limit]);
      const ids = [1, 2, 3, 4, 5, 6, 7].filter((id) => id > Number(afterId ?? 0)).slice(0, limit || undefined);
      for (const id of ids.slice(0, rowsEach)) yield row(id);
      if (ids.length > rowsEach) throw lost(code);
    };
    const rows = (changes: Partial<UserQuery> = {}) =>
      collect(resumeWhenLost({ ...query, ...changes }, read, { sleep: async (ms) => waits.push(ms) }));
    return { rows, queries, waits };
  };

  test('is opened again, and the query resumes after the last row', async () => {
    const { rows, queries, waits } = losing(3);
    expect((await rows()).map(({ id }) => id)).toEqual(['1', '2', '3', '4', '5', '6', '7']);
    expect(queries.map(([afterId]) => afterId)).toEqual([undefined, '3', '6']);
    expect(waits).toEqual([1_000, 1_000]);
  });

  test('does not extend the limit', async () => {
    const { rows, queries } = losing(3);
    expect((await rows({ afterId: '1', limit: 5 })).map(({ id }) => id)).toEqual(['2', '3', '4', '5', '6']);
    expect(queries).toEqual([
      ['1', 5],
      ['4', 2],
    ]);
  });

  test('after the last row of the limit is ignored', async () => {
    const read = async function* () {
      yield row(1);
      throw lost('ECONNRESET');
    };
    expect(await collect(resumeWhenLost({ ...query, limit: 1 }, read))).toHaveLength(1);
  });

  test('is a retryable error after six attempts without a row', async () => {
    const { rows, queries, waits } = losing(0, 'ECONNREFUSED');
    await expect(rows()).rejects.toMatchObject({ code: 'CONNECTION_FAULT', retryable: true });
    expect(queries).toHaveLength(6);
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000]);
  });

  test.each(['ER_NO_SUCH_TABLE', 'ER_ACCESS_DENIED_ERROR', 'HANDSHAKE_NO_SSL_SUPPORT'])(
    'is not assumed for %s, which is a permanent error',
    async (code) => {
      const { rows, queries } = losing(0, code);
      await expect(rows()).rejects.toMatchObject({ code: 'CONNECTION_FAULT', retryable: false });
      expect(queries).toHaveLength(1);
    },
  );

  describe('a denied login', () => {
    const denied = () =>
      Object.assign(new Error("Access denied for user 'app'@'10.0.0.5'"), { code: 'ER_ACCESS_DENIED_ERROR' });
    /** Denies logins until the credential was renewed this many times; a read loses its connection after three rows. */
    const readWithRenewals = (renewals: number, changes: readonly boolean[]) => {
      let renewed = 0;
      const read = async function* ({ afterId }: UserQuery) {
        if (renewed < renewals) throw denied();
        const ids = [1, 2, 3, 4, 5].filter((id) => id > Number(afterId ?? 0));
        for (const id of ids.slice(0, 3)) yield row(id);
        if (ids.length > 3) {
          renewals += 1;
          throw lost('ER_CONNECTION_KILLED');
        }
      };
      const renewCredential = async () => changes[renewed++] ?? false;
      return collect(resumeWhenLost(query, read, { sleep: async () => undefined, renewCredential }));
    };

    test('is retried with a rotated credential, at the start and after a lost connection', async () => {
      expect((await readWithRenewals(1, [true, true])).map(({ id }) => id)).toEqual(['1', '2', '3', '4', '5']);
    });

    test('is permanent if the credential is unchanged, and the error contains neither user nor host', async () => {
      const error = await readWithRenewals(1, [false]).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'CONNECTION_FAULT', retryable: false });
      expect(inspect(error)).not.toMatch(/'app'|10\.0\.0\.5/);
    });
  });
});
