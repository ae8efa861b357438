import { PipelineError } from '../errors';
import { columnStatement, emptyStatement, queriedColumns, type Statement } from './query';

type Table = keyof typeof queriedColumns;

/**
 * Finds out which columns the query cannot read: `missingColumns` of a source. A database names only the first one, so
 * after a refusal each column is read alone. This also finds columns that our user is not allowed to read.
 *
 * @param read runs a statement that returns no row
 * @throws {PipelineError} what `read` throws, if it is not about some of the columns
 */
export const findMissingColumns = async (read: (statement: Statement) => AsyncIterable<unknown>): Promise<string[]> => {
  const refusalOf = async (statement: Statement): Promise<PipelineError | undefined> => {
    try {
      for await (const _ of read(statement)) break;
      return undefined;
    } catch (error) {
      const isRefusal = error instanceof PipelineError && error.code === 'CONNECTION_FAULT' && !error.retryable;
      if (isRefusal) return error;
      throw error;
    }
  };

  const refusal = await refusalOf(emptyStatement);
  if (refusal === undefined) return [];
  const missing: string[] = [];
  let readable = 0;
  for (const table of Object.keys(queriedColumns) as Table[]) {
    for (const column of queriedColumns[table]) {
      if ((await refusalOf(columnStatement(table, column))) === undefined) readable += 1;
      else missing.push(`${table}.${column}`);
    }
  }
  // Nothing is readable without a login or a database; and a query can be refused although all columns are readable.
  if (missing.length === 0 || readable === 0) throw refusal;
  return missing;
};
