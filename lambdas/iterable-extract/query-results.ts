import * as z from 'zod';
import { extractionPaths, queryResultsCsv, rejectedCsv } from '../../shared/iterable/report';
import { readRow } from '../../shared/iterable/rows';
import type { Extracted, UserParts } from '../../shared/iterable/user-parts';
import type { RunFolder } from '../../shared/runs/artifacts';
import { joinParts } from '../../shared/runs/join-parts';
import { type Comparison, comparingSchema } from './compare-users';

export interface QueryResultsOptions {
  readonly folder: RunFolder;
  readonly parts: UserParts;
  readonly stamp: string;
  readonly isTimeUp: () => boolean;
  /** Absent in a run that compares nothing. */
  readonly comparison?: { readonly comparison: Comparison; readonly baseParts: number } | undefined;
}

const noComparison = { comparison: undefined, baseParts: 0 };

const countsSchema = z.object({
  rows: z.number(),
  rejected: z.number(),
  rejected_by: z.record(z.string(), z.number()).default(() => ({})),
  comparing: comparingSchema.optional(),
});
/** The users of a part of rows, or those of a part of the base that come after all rows. */
type Source = { readonly rowsPath: string } | { readonly rest: number };

/**
 * Writes all rows as CSV, and the rejected rows with the reason to a second file, in as many turns as needed. Compares
 * the users along the way.
 *
 * @returns `undefined` if the time was up
 */
export const writeQueryResults = async (options: QueryResultsOptions): Promise<Extracted | undefined> => {
  const { folder, parts, stamp, isTimeUp, comparison: { comparison, baseParts } = noComparison } = options;
  const { paths } = await parts.surveyRows();
  const { done, counts } = await joinParts({
    folder,
    cursorPath: parts.joinPath('rows'),
    files: extractionPaths(stamp),
    sources: [
      ...paths.map((rowsPath): Source => ({ rowsPath })),
      ...Array.from({ length: baseParts }, (_, rest): Source => ({ rest })),
    ],
    schema: countsSchema,
    begin: async ({ queryResults, rejected }) => {
      await queryResults.write(queryResultsCsv.header);
      await rejected.write(rejectedCsv.header);
      return { rows: 0, rejected: 0, rejected_by: {}, comparing: comparison?.begin() };
    },
    add: async (before, source, { queryResults, rejected }) => {
      const comparing = before.comparing;
      if ('rest' in source) {
        return { ...before, comparing: comparing && (await comparison?.addRest(comparing, source.rest)) };
      }
      const after = { ...before, rejected_by: { ...before.rejected_by } };
      const reads = [];
      for (const row of await parts.readRows(source.rowsPath)) {
        after.rows += 1;
        await queryResults.write(queryResultsCsv.line(row));
        const read = readRow(row);
        reads.push(read);
        if (!('rejected' in read)) continue;
        const { reason } = read.rejected;
        after.rejected += 1;
        after.rejected_by[reason] = (after.rejected_by[reason] ?? 0) + 1;
        await rejected.write(rejectedCsv.line(read.rejected));
      }
      return { ...after, comparing: comparing && (await comparison?.addRows(comparing, reads)) };
    },
    isTimeUp,
  });
  if (!done) return undefined;
  const { comparing, ...extracted } = counts;
  return { ...extracted, ...(comparing && { compared: await comparison?.end(comparing) }) };
};
