import { DatabaseSync } from 'node:sqlite';
import { PipelineError } from '../errors';
import { findMissingColumns } from './missing-columns';
import { customerStatement, leaversStatement, type Statement, statementOf, type UserSource } from './query';
import { type SourceRow, toSourceRow } from './rows';

function* readRows(file: string, { sql, parameters }: Statement): Generator<SourceRow> {
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

async function* read(file: string, statement: Statement): AsyncGenerator<SourceRow> {
  try {
    yield* readRows(file, statement);
  } catch (cause) {
    throw new PipelineError('CONNECTION_FAULT', 'The SQLite file cannot be read', { retryable: false, cause });
  }
}

/** Users in a SQLite file, which replaces MySQL in local runs. */
export const createSqliteSource = (file: string): UserSource => ({
  rows: (query) => read(file, statementOf(query)),
  leavers: (ids) => read(file, leaversStatement(ids)),
  customer: (id, pages) => read(file, customerStatement(id, pages)),
  missingColumns: () => findMissingColumns((statement) => read(file, statement)),
});
