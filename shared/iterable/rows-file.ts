import { unguardFormula } from '../csv';
import { readCsvRecords } from '../csv-records';
import { PipelineError } from '../errors';
import { type SourceColumn, type SourceRow, sourceColumns, toSourceRow } from './rows';

/** Path of the rows that a run with `source: "rows"` sends instead of the query's, in the run's folder. */
export const rowsFilePath = 'iterable/rows.csv';

/** Path of the users that failed in a run, in the run's folder. It can be the rows of another run. */
export const failedRowsPath = 'iterable/failed.csv';

/** Columns of `rejected.csv` and `failed.csv` besides those of a row. They are ignored. */
const reportColumns: readonly string[] = ['reason', 'call', 'code', 'message'];

const refuse = (fault: string): never => {
  throw new PipelineError('BAD_PAYLOAD', `The file of rows cannot be used: ${fault}`, { retryable: false });
};

const isNotUtf8 = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'code' in error && error.code === 'ERR_ENCODING_INVALID_ENCODED_DATA';

const isSourceColumn = (name: string): name is SourceColumn => sourceColumns.some((column) => column === name);

/** @returns the position of each column of a row */
const readHeader = (names: readonly string[]): ReadonlyMap<SourceColumn, number> => {
  const positions = new Map<SourceColumn, number>();
  const faults: string[] = [];
  for (const [position, name] of names.entries()) {
    if (!isSourceColumn(name)) {
      if (!reportColumns.includes(name)) faults.push(`the column ${JSON.stringify(name)} is unknown`);
    } else if (positions.has(name)) faults.push(`the column ${name} exists twice`);
    else positions.set(name, position);
  }
  for (const column of sourceColumns) if (!positions.has(column)) faults.push(`the column ${column} is missing`);
  return faults.length === 0 ? positions : refuse(faults.join('; '));
};

/**
 * Reads rows from a CSV file with the columns of `failed.csv` or `rejected.csv`, in any order. An empty cell is `null`,
 * and a cell that those files guard from being run as a formula gets its original text again.
 *
 * @param bytes the file in pieces
 * @throws {PipelineError} `BAD_PAYLOAD`, permanent, at the first line that cannot be read; the text contains no value
 */
export async function* readRowsFile(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<SourceRow> {
  let positions: ReadonlyMap<SourceColumn, number> | undefined;
  let width = 0;
  let records = 0;
  try {
    for await (const cells of readCsvRecords(bytes)) {
      records += 1;
      if (positions === undefined) {
        positions = readHeader(cells);
        width = cells.length;
        continue;
      }
      if (cells.length !== width) refuse(`record ${records} has ${cells.length} cells instead of ${width}`);
      const header = positions;
      yield toSourceRow((column) => unguardFormula(cells[header.get(column) ?? -1] ?? '') || null);
    }
  } catch (error) {
    if (isNotUtf8(error)) refuse('it is not UTF-8');
    throw error;
  }
  if (positions === undefined) refuse('it is missing or empty');
}
