import type { Database } from './database';
import type { UserSource } from './query';

export { databaseSecretSchema, parseDatabaseUrl } from './database';
export { cutoffOf, type UserQuery, type UserSource } from './query';

/**
 * Opens a source. It connects when rows are read. Loads only the driver that is needed.
 *
 * @param refresh reads the database secret again, in case it was rotated. Default: the same database
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
