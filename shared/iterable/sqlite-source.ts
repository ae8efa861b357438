import { DatabaseSync } from 'node:sqlite';
import { PipelineError } from '../errors';
import { statementOf, type UserQuery, type UserSource } from './query';
import { type SourceRow, toSourceRow } from './rows';

function* readRows(file: string, query: UserQuery): Generator<SourceRow> {
  const { sql, parameters } = statementOf(query);
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    const statement = database.prepare(sql);
    // An integer beyond 2^53 would throw.
    statement.setReadBigInts(true);
    for (const row of statement.iterate(...parameters)) {
      yield toSourceRow((column) => (row[column] == null ? null : String(row[column])));
    }
  } finally {
    database.close();
  }
}

/** Users in a SQLite file, which replaces MySQL in local runs. */
export const createSqliteSource = (file: string): UserSource => ({
  rows: async function* (query) {
    try {
      yield* readRows(file, query);
    } catch (cause) {
      throw new PipelineError('CONNECTION_FAULT', 'The SQLite file cannot be read', { retryable: false, cause });
    }
  },
});
