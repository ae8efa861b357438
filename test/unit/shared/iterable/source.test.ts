import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type Connection, createServer } from 'mysql2';
import { loadSampleUsers } from '../../../../local/sample/users';
import { createMysqlSource } from '../../../../shared/iterable/mysql-source';
import { readRow } from '../../../../shared/iterable/rows';
import {
  cutoffOf,
  databaseSecretSchema,
  openUserSource,
  parseDatabaseUrl,
  type UserQuery,
} from '../../../../shared/iterable/source';
import { collect } from './sample';

const nowMs = Date.parse('2026-11-22T10:15:00Z');
const query: UserQuery = { plan: 'pro', pages: ['pricing', 'settings'], cutoff: cutoffOf(nowMs, 7), limit: 0 };

test('the last days begin at the start of the day, UTC', () => {
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

  test('is 15 customers and 40 page views', () => {
    const database = new DatabaseSync(file);
    const count = (table: string) => database.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.n;
    expect([count('customers'), count('page_views')]).toEqual([15, 40]);
    database.close();
  });

  test('gives the latest view of each customer, by customer', async () => {
    expect(await views()).toEqual([
      ['1', 'pricing', '11-21'],
      ['2', 'pricing', '11-19'],
      // Of two views at the same moment, the later one.
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

  test('gives every column as text or null', async () => {
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

  test('plan, pages, days, limit and where to go on are the query’s', async () => {
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

  test('a consumer that leaves closes the file', async () => {
    const source = await openUserSource(parseDatabaseUrl(`sqlite:${file}`));
    for await (const _ of source.rows(query)) break;
    expect(await views()).toHaveLength(9);
  });

  test('a file that is not there is a fault, and is not made', async () => {
    const source = await openUserSource(parseDatabaseUrl(`sqlite:${folder}/none.sqlite`));
    await expect(collect(source.rows(query))).rejects.toMatchObject({ code: 'CONNECTION_FAULT', retryable: false });
  });
});

describe('databases', () => {
  test.each([
    [
      'mysql://app:p%40ss@db.example.com/shop',
      { host: 'db.example.com', port: 3306, user: 'app', password: 'p@ss', database: 'shop', socketPath: undefined },
    ],
    [
      'mariadb://root@localhost:3307/shop?socket=/run/mysqld.sock',
      { host: 'localhost', port: 3307, user: 'root', password: '', database: 'shop', socketPath: '/run/mysqld.sock' },
    ],
  ])('%s', (url, database) => {
    expect(parseDatabaseUrl(url)).toEqual({ kind: 'mysql', ...database });
  });

  test.each(['', 'postgres://u:secret@host/db', 'mysql://u:secret@host', 'sqlite:', 'nonsense'])('not %j', (url) => {
    expect(() => parseDatabaseUrl(url)).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.not.stringContaining('secret') }),
    );
  });

  test("RDS's secret", () => {
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

describe('MySQL, its protocol', () => {
  /** A server that gives `ids` after the one asked for, and hangs up after `rowsEach` rows. */
  const startServer = async (ids: number[], rowsEach: number) => {
    const queries: string[] = [];
    const server = createServer();
    server.on('connection', (connection: Connection & Record<string, (...given: unknown[]) => void>) => {
      connection.on('error', () => undefined);
      connection.serverHandshake?.({
        protocolVersion: 10,
        serverVersion: '8.0.0',
        connectionId: 1,
        statusFlags: 2,
        characterSet: 45,
        capabilityFlags: 0xffffff & ~0x800,
        authCallback: (_: unknown, done: (error: null) => void) => done(null),
      });
      connection.on('query', (sql: string) => {
        queries.push(sql);
        const after = Number(/c\.id > (\d+)/.exec(sql)?.[1]);
        const limit = Number(/LIMIT (\d+)/.exec(sql)?.[1]);
        const columns = [
          'id',
          'email',
          'first_name',
          'last_name',
          'plan_type',
          'candidate',
          'page',
          'device',
          'browser',
        ];
        connection.writeColumns?.(
          [...columns, 'location', 'event_time'].map((name) => ({
            catalog: 'def',
            schema: '',
            table: '',
            orgTable: '',
            name,
            orgName: name,
            characterSet: 45,
            columnLength: 255,
            columnType: name === 'id' ? 3 : name === 'event_time' ? 12 : 253,
            flags: 0,
            decimals: 0,
          })),
        );
        const rows = ids.filter((id) => id > after).slice(0, limit);
        for (const id of rows.slice(0, rowsEach)) {
          connection.writeTextRow?.([
            ...[id, `user${id}@example.com`, 'Maria', 'Sample', 'pro', null, 'pricing', null, null, null],
            '2026-11-20 10:02:33',
          ]);
        }
        if (rows.length > rowsEach) connection.end();
        else connection.writeEof?.();
      });
    });
    server.listen(0);
    // The driver does not say when it listens, nor where.
    const { _server: listener } = server as unknown as { _server: import('node:net').Server };
    if (!listener.listening) await once(listener, 'listening');
    return { queries, port: (listener.address() as AddressInfo).port, stop: () => listener.close() };
  };

  const waits: number[] = [];
  const sourceAt = (port: number) =>
    createMysqlSource(
      { kind: 'mysql', host: '127.0.0.1', port, user: 'u', password: 'p', database: 'd' },
      { sleep: async (ms) => void waits.push(ms) },
    );

  test('a connection that is lost is made anew, after the last row given', async () => {
    const server = await startServer([1, 2, 3, 5, 8, 13, 21], 3);
    const rows = await collect(sourceAt(server.port).rows(query));
    expect(rows.map(({ id }) => id)).toEqual(['1', '2', '3', '5', '8', '13', '21']);
    expect(rows[0]?.event_time).toBe('2026-11-20 10:02:33');
    expect(server.queries.map((sql) => /c\.id > (\d+)/.exec(sql)?.[1])).toEqual(['0', '3', '13']);
    server.stop();
  });

  test('a limit counts the rows before the loss', async () => {
    const server = await startServer([1, 2, 3, 5, 8, 13, 21], 3);
    const rows = await collect(sourceAt(server.port).rows({ ...query, limit: 5 }));
    expect(rows.map(({ id }) => id)).toEqual(['1', '2', '3', '5', '8']);
    expect(server.queries.map((sql) => /LIMIT (\d+)/.exec(sql)?.[1])).toEqual(['5', '2']);
    server.stop();
  });

  test('a database that cannot be reached is asked six times', async () => {
    const server = await startServer([1], 0);
    waits.length = 0;
    await expect(collect(sourceAt(server.port).rows(query))).rejects.toMatchObject({
      code: 'CONNECTION_FAULT',
      retryable: true,
    });
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000]);
    server.stop();
  });
});
