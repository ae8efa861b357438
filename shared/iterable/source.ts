import type { Database } from './database';
import type { UserSource } from './query';

export { databaseSecretSchema, parseDatabaseUrl } from './database';
export { cutoffOf, type UserQuery, type UserSource } from './query';

/**
 * Opens a source; connections are made when rows are asked for. Only the driver that is needed is loaded.
 *
 * @param refresh fetches the database's secret anew, in case it was rotated; the same database unless told
 */
export const openUserSource = async (
  database: Database,
  refresh: () => Promise<Database> = async () => database,
): Promise<UserSource> => {
  if (database.kind === 'sqlite') {
    const { createSqliteSource } = await import('./sqlite-source');
    return createSqliteSource(database.file);
  }
  const { createMysqlSource } = await import('./mysql-source');
  return createMysqlSource(database, refresh);
};
