import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { PersistenceManager } from './fauxqs';
import { crashIfDiskFull, isDiskFull } from './full-disk';
import { damagedStore } from './state-files';

/** The SQLite database in which fauxqs stores queues and buckets. */
export interface QueueStore {
  readonly persistence: PersistenceManager;
  readonly database: DatabaseSync;
  /** Stores all writes of `work` or none. */
  transaction<T>(work: () => T): T;
}

/**
 * Opens the database in `directory`, or creates it.
 * @throws {StateError} if it is damaged
 */
export const openQueueStore = (directory: string): QueueStore => {
  const persistence = openPersistence(directory);
  const database: unknown = Reflect.get(persistence, 'db');
  if (!(database instanceof DatabaseSync)) {
    throw new Error('fauxqs no longer keeps its state in an SQLite database');
  }
  const [check] = namingDamage(directory, () => database.prepare('PRAGMA quick_check(1)').all());
  if (check?.quick_check !== 'ok') {
    throw damage(directory, check?.quick_check);
  }
  // A commit survives a kill of this process, but not a power cut. That avoids waiting for the disk.
  database.exec('PRAGMA synchronous = NORMAL');
  // When a visibility timeout is set to 0, fauxqs sets the message's receive count to NULL. The schema forbids that, so
  // the message would be lost.
  const makeVisible = database.prepare(
    'UPDATE sqs_messages SET receipt_handle = NULL, visibility_deadline = NULL WHERE message_id = ?',
  );
  persistence.updateMessageReady = (messageId) => void makeVisible.run(messageId);

  const transaction = <T>(work: () => T): T => {
    database.exec('BEGIN');
    try {
      const result = work();
      database.exec('COMMIT');
      return result;
    } catch (error) {
      rollBack(database);
      crashIfDiskFull(error);
      throw error;
    }
  };
  // The ROLLBACK in fauxqs' own transaction can fail and hide the original error.
  Reflect.set(persistence, 'transaction', transaction);
  return { persistence: reporting(persistence), database, transaction };
};

const damage = (directory: string, cause: unknown) =>
  damagedStore(path.join(directory, 'fauxqs.db'), path.dirname(directory), cause);

const openPersistence = (directory: string): PersistenceManager =>
  namingDamage(directory, () => new PersistenceManager(directory));

/** After some errors, such as a full disk, SQLite has already rolled back, and a second ROLLBACK fails. */
const rollBack = (database: DatabaseSync): void => {
  try {
    database.exec('ROLLBACK');
  } catch {
    // The original error is reported instead.
  }
};

/** fauxqs responds with 500 when a write fails. A full disk must end this process, see {@link crashIfDiskFull}. */
const reporting = (persistence: PersistenceManager): PersistenceManager =>
  new Proxy(persistence, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') {
        return member;
      }
      return (...args: unknown[]): unknown => {
        try {
          return Reflect.apply(member, target, args);
        } catch (error) {
          crashIfDiskFull(error);
          throw error;
        }
      };
    },
  });

const namingDamage = <T>(directory: string, open: () => T): T => {
  try {
    return open();
  } catch (error) {
    throw isDiskFull(error) ? error : damage(directory, error);
  }
};
