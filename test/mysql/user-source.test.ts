import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Connection, createConnection } from 'mysql2/promise';
import { loadSampleUsers } from '../../local/sample/users';
import { cutoffOf, openUserSource, parseDatabaseUrl, type UserQuery } from '../../shared/iterable/source';
import { createLogger } from '../../shared/observability/logger';
import { captureLogs } from '../support/logs';
import { collect } from '../unit/shared/iterable/sample';

/** Runs against a MySQL or MariaDB given by `DATABASE_URL`, and replaces its tables: `npm run test:mysql`. */
const databaseUrl = process.env.DATABASE_URL ?? '';

const sampleFolder = join(__dirname, '../../local/sample/mysql');
const nowMs = Date.now();
const query: UserQuery = { plan: 'pro', pages: ['pricing', 'settings'], cutoff: cutoffOf(nowMs, 7), limit: 0 };

describe('MySQL', () => {
  let admin: Connection;
  const source = () => openUserSource(parseDatabaseUrl(databaseUrl));

  beforeAll(async () => {
    const database = parseDatabaseUrl(databaseUrl);
    if (database.kind !== 'mysql') throw new Error('no MySQL');
    const { kind: _kind, host, port, socketPath, ...login } = database;
    const address = socketPath === undefined ? { host, port } : { socketPath };
    admin = await createConnection({ ...login, ...address, multipleStatements: true });
    await admin.query(`SET timestamp = ${Math.floor(nowMs / 1_000)}`);
    for (const name of ['schema.sql', 'data.sql']) await admin.query(readFileSync(join(sampleFolder, name), 'utf8'));
  });
  afterAll(() => admin.end());

  test('returns the same rows as SQLite', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'users-'));
    const file = join(folder, 'users.sqlite');
    loadSampleUsers(file, nowMs);
    const sqlite = await openUserSource(parseDatabaseUrl(`sqlite:${file}`));
    const { rows, leavers, customer } = await source();
    expect(await collect(leavers(['10', '2', '999']))).toEqual(await collect(sqlite.leavers(['10', '2', '999'])));
    for (const id of ['1', '4', '999']) {
      expect(await collect(customer(id, query.pages))).toEqual(await collect(sqlite.customer(id, query.pages)));
    }
    for (const changes of [{}, { plan: 'free' }, { limit: 2, afterId: '3' }, { pages: ['docs'] }]) {
      const mysqlRows = await collect(rows({ ...query, ...changes }));
      expect(mysqlRows).toEqual(await collect(sqlite.rows({ ...query, ...changes })));
      expect(mysqlRows.length).toBeGreaterThan(0);
    }
    rmSync(folder, { recursive: true });
  });

  test('resumes after the connection was killed in the middle', async () => {
    const count = 50_000;
    await admin.query(`
      INSERT INTO customers (id, email, plan_type)
      SELECT 1000 + seq, CONCAT('user', seq, '@example.com'), 'enterprise' FROM
      (SELECT a.n + 10 * b.n + 100 * c.n + 1000 * d.n + 10000 * e.n AS seq FROM
        (${digits}) a, (${digits}) b, (${digits}) c, (${digits}) d, (${digits}) e) AS numbers WHERE seq < ${count};
      INSERT INTO page_views (user_id, page, event_time) SELECT id, 'load', UTC_TIMESTAMP() FROM customers WHERE id >= 1000;
    `);
    const { rows } = await source();
    const ids: number[] = [];
    for await (const { id } of rows({ ...query, plan: 'enterprise', pages: ['load'] })) {
      ids.push(Number(id));
      if (ids.length === 10 || ids.length === 20_000) await killOthers();
    }
    expect(ids).toEqual(Array.from({ length: count }, (_, index) => 1_000 + index));
  });

  const killOthers = async () => {
    const [list] = await admin.query('SELECT ID AS id FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID()');
    for (const { id } of list as { id: number }[]) await admin.query(`KILL ${id}`).catch(() => undefined);
  };

  test('a rotated password is fetched again after the first denied login', async () => {
    const database = parseDatabaseUrl(databaseUrl);
    const stale = { ...database, password: 'hunter2-of-yesterday' };
    const denied: unknown = await collect((await openUserSource(stale)).rows(query)).catch((error: unknown) => error);
    expect(denied).toMatchObject({
      code: 'CONNECTION_FAULT',
      message: 'The database refused the query: ER_ACCESS_DENIED_ERROR',
    });
    const logs = captureLogs();
    createLogger({ STAGE: 'dev', SERVICE_VERSION: '1' }).error('sync step failed', { error_details: denied });
    logs.stop();
    expect(logs.lines()).toHaveLength(1);
    expect(logs.text()).not.toContain(stale.password);
    const { rows } = await openUserSource(stale, async () => database);
    expect(await collect(rows(query))).toEqual(await collect((await source()).rows(query)));
  });

  test('columns that are missing, or that our user is not allowed to read, are found without reading a row', async () => {
    expect(await (await source()).missingColumns()).toEqual([]);
    const database = parseDatabaseUrl(databaseUrl);
    if (database.kind !== 'mysql') throw new Error('no MySQL');
    const [user, password] = ['preflight', 'preflight-pa55'];
    const hosts = ['localhost', '%'];
    for (const host of hosts) {
      await admin.query(`
        DROP USER IF EXISTS '${user}'@'${host}';
        CREATE USER '${user}'@'${host}' IDENTIFIED BY '${password}';
        GRANT SELECT (id, email, first_name, last_name, plan_type) ON customers TO '${user}'@'${host}';
        GRANT SELECT ON page_views TO '${user}'@'${host}'`);
    }
    await admin.query('ALTER TABLE page_views RENAME COLUMN device TO gadget');
    try {
      expect(await (await source()).missingColumns()).toEqual(['page_views.device']);
      const limited = await openUserSource({ ...database, user, password });
      expect(await limited.missingColumns()).toEqual(['customers.candidate', 'page_views.device']);
      const denied = await openUserSource({ ...database, user, password: 'another' });
      await expect(denied.missingColumns()).rejects.toMatchObject({
        message: 'The database refused the query: ER_ACCESS_DENIED_ERROR',
      });
    } finally {
      await admin.query('ALTER TABLE page_views RENAME COLUMN gadget TO device');
      for (const host of hosts) await admin.query(`DROP USER '${user}'@'${host}'`);
    }
  });

  test('a missing table is a permanent error', async () => {
    await admin.query('DROP TABLE page_views');
    const { rows } = await source();
    await expect(collect(rows(query))).rejects.toMatchObject({ code: 'CONNECTION_FAULT', retryable: false });
  });
});

const digits = Array.from({ length: 10 }, (_, digit) => `SELECT ${digit} AS n`).join(' UNION ALL ');
