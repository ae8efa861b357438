import { queryResultsCsv, rejectedCsv } from '../../shared/iterable/report';
import { readRow } from '../../shared/iterable/rows';
import { type RunFolder, writeTogether } from '../../shared/runs/artifacts';
import { extractionPaths } from '../../shared/runs/files';
import type { Extracted, UserParts } from '../../shared/runs/user-parts';

/** Writes all rows as CSV, and those that will not be sent apart, with the reason. */
export const writeQueryResults = async (folder: RunFolder, parts: UserParts, stamp: string): Promise<Extracted> => {
  const { paths } = await parts.surveyRows();
  const files = extractionPaths(stamp);
  const counts = { rows: 0, rejected: 0 };
  await writeTogether(
    [folder.openWriter(files.queryResults), folder.openWriter(files.rejected)],
    async (all, rejected) => {
      await all.write(queryResultsCsv.header);
      await rejected.write(rejectedCsv.header);
      for (const path of paths) {
        for await (const row of parts.readRows(path)) {
          counts.rows += 1;
          await all.write(queryResultsCsv.line(row));
          const read = readRow(row);
          if (!('rejected' in read)) continue;
          counts.rejected += 1;
          await rejected.write(rejectedCsv.line(read.rejected));
        }
      }
    },
  );
  return counts;
};
