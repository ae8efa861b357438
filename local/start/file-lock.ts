import { DatabaseSync } from 'node:sqlite';
import { types } from 'node:util';

const sqliteBusy = 5;

/**
 * Takes an operating system lock on `file`, which becomes an empty SQLite database. The operating system releases the
 * lock when this process ends, even if it is killed.
 *
 * @param waitMs how long to wait while another process holds the lock
 * @returns a function that releases the lock, or undefined if the lock is still held after the wait
 * @throws {Error} if the file cannot be opened, or is another kind of file
 */
export const lockFile = (file: string, waitMs: number): (() => void) | undefined => {
  const database = new DatabaseSync(file);
  try {
    database.exec(`PRAGMA busy_timeout = ${waitMs}; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE`);
  } catch (error) {
    database.close();
    const errcode = types.isNativeError(error) && 'errcode' in error ? error.errcode : undefined;
    if (errcode === sqliteBusy) return undefined;
    throw error;
  }
  return () => database.close();
};
