import { isDeepStrictEqual } from 'node:util';
import { PipelineError } from '../../shared/errors';
import type { IterablePlan } from '../../shared/iterable/input';
import { usersPerPart } from '../../shared/iterable/parts';
import type { SourceRow } from '../../shared/iterable/rows';
import { cutoffOf, type UserSource } from '../../shared/iterable/source';
import type { UserParts } from '../../shared/iterable/user-parts';
import type { Progress } from '../../shared/runs/progress';

export interface ExtractUsersOptions {
  readonly run: IterablePlan;
  readonly parts: UserParts;
  readonly openSource: () => Promise<UserSource>;
  readonly progress: Progress;
}

/** How many rows there are, and the customer of the last. */
const endOf = (rows: readonly SourceRow[]) => {
  let count = 0;
  let lastId: string | undefined;
  for (const { id } of rows) {
    count += 1;
    lastId = id ?? lastId;
  }
  return { count, lastId };
};

/**
 * Reads rows into parts of 1,000, behind those that are written, until the last is written or the time is up.
 *
 * @returns the rows that are in parts, and whether the last part is written
 * @throws {PipelineError} `RUN_TAKEN_OVER` when another worker has written the same part to another end
 */
export const extractUsers = async (options: ExtractUsersOptions) => {
  const { run, parts, openSource, progress } = options;
  const { plan, pages, days, limit } = run.iterable;
  const { paths, complete } = await parts.surveyRows();
  let position = paths.length;
  // Every part but the last is full.
  let rows = Math.max(0, paths.length - 1) * usersPerPart;
  let afterId: string | undefined;
  const newest = paths.at(-1);
  if (newest !== undefined) {
    const end = endOf(await parts.readRows(newest));
    rows += end.count;
    afterId = end.lastId;
  }
  const snapshot = () => ({ done: rows, message: `iterable: ${rows} users read` });
  progress.update(snapshot());
  if (complete) return { rows, complete };

  let pending: SourceRow[] = [];
  /** A part that is there is ours if its answer was lost; one that ends elsewhere is of a worker beside us. */
  const write = async (isLast: boolean): Promise<void> => {
    const path = parts.rowsPath(position++, isLast);
    if (!(await parts.writeRows(path, pending))) {
      const [theirs, ours] = [endOf(await parts.readRows(path)), endOf(pending)];
      if (!isDeepStrictEqual(theirs, ours)) {
        throw new PipelineError('RUN_TAKEN_OVER', 'Another worker extracts the same users', { retryable: false });
      }
    }
    rows += pending.length;
    pending = [];
  };

  if (limit === 0 || rows < limit) {
    const source = await openSource();
    const query = {
      plan,
      pages,
      cutoff: cutoffOf(Date.parse(run.started_at), days),
      limit: limit === 0 ? 0 : limit - rows,
      afterId,
    };
    for await (const row of source.rows(query)) {
      // Only a row behind it says that a full part is not the last.
      if (pending.length === usersPerPart) {
        await write(false);
        if (progress.isTurnOver(snapshot())) return { rows, complete: false };
      }
      pending.push(row);
    }
  }
  await write(true);
  return { rows, complete: true };
};
