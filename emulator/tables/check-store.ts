import path from 'node:path';
import dynaliteStore from 'dynalite/db';
import { isDiskFull } from '../full-disk';
import { damagedStore, StateError } from '../state-files';

/**
 * Opens the store once, without its server. Repairs a table whose creation was interrupted by a kill: it would stay
 * CREATING. Reads every file, because LevelDB notices damage only then.
 */
export const checkStore = async (directory: string): Promise<void> => {
  const { db } = dynaliteStore.create({ path: directory });
  try {
    await db.open();
    for await (const [key, table] of db.iterator({ gte: 'table~', lt: 'table~\xFF' })) {
      if (table.TableStatus === 'CREATING') {
        table.TableStatus = 'ACTIVE';
        for (const index of table.GlobalSecondaryIndexes ?? []) {
          index.IndexStatus = 'ACTIVE';
        }
        await db.put(key, table);
      }
    }
    for await (const _ of db.keys()) {
      // Reading is enough.
    }
  } catch (error) {
    throw toStateError(directory, error);
  } finally {
    await db.close();
  }
};

/** The error that `open` throws has LevelDB's error as its cause. */
const toStateError = (directory: string, error: unknown): unknown => {
  if (isDiskFull(error)) {
    return error;
  }
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const isLocked = cause instanceof Error && 'code' in cause && cause.code === 'LEVEL_LOCKED';
  return isLocked
    ? new StateError(`${directory} is in use by another embedded AWS: stop it first.`, { cause })
    : damagedStore(directory, path.dirname(directory), cause);
};
