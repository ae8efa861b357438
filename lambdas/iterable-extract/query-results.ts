import { extractionPaths, queryResultsCsv, rejectedCsv } from '../../shared/iterable/report';
import { readRow } from '../../shared/iterable/rows';
import { type Extracted, extractedSchema, type UserParts } from '../../shared/iterable/user-parts';
import type { RunFolder } from '../../shared/runs/artifacts';
import { joinParts } from '../../shared/runs/join-parts';

export interface QueryResultsOptions {
  readonly folder: RunFolder;
  readonly parts: UserParts;
  readonly stamp: string;
  readonly isTimeUp: () => boolean;
}

/**
 * Writes all rows as CSV, and the rejected rows with the reason to a second file, in as many turns as needed.
 *
 * @returns `undefined` if the time was up
 */
export const writeQueryResults = async (options: QueryResultsOptions): Promise<Extracted | undefined> => {
  const { folder, parts, stamp, isTimeUp } = options;
  const { paths: sources } = await parts.surveyRows();
  const { done, counts } = await joinParts({
    folder,
    cursorPath: parts.joinPath('rows'),
    files: extractionPaths(stamp),
    sources,
    schema: extractedSchema,
    begin: async ({ queryResults, rejected }) => {
      await queryResults.write(queryResultsCsv.header);
      await rejected.write(rejectedCsv.header);
      return { rows: 0, rejected: 0 };
    },
    add: async (before, path, { queryResults, rejected }) => {
      const after = { ...before };
      for (const row of await parts.readRows(path)) {
        after.rows += 1;
        await queryResults.write(queryResultsCsv.line(row));
        const read = readRow(row);
        if (!('rejected' in read)) continue;
        after.rejected += 1;
        await rejected.write(rejectedCsv.line(read.rejected));
      }
      return after;
    },
    isTimeUp,
  });
  return done ? counts : undefined;
};
