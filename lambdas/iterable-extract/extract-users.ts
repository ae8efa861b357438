import { isDeepStrictEqual } from 'node:util';
import { PipelineError } from '../../shared/errors';
import type { IterablePlan } from '../../shared/iterable/input';
import { usersPerPart } from '../../shared/iterable/parts';
import type { SourceRow } from '../../shared/iterable/rows';
import { readRowsFile, rowsFilePath } from '../../shared/iterable/rows-file';
import { cutoffOf, type UserSource } from '../../shared/iterable/source';
import type { UserParts } from '../../shared/iterable/user-parts';
import type { RunFolder } from '../../shared/runs/artifacts';
import type { Progress } from '../../shared/runs/progress';

export interface ExtractUsersOptions {
  readonly run: IterablePlan;
  readonly folder: Pick<RunFolder, 'readBytes'>;
  readonly parts: UserParts;
  readonly openSource: () => Promise<UserSource>;
  readonly progress: Progress;
}

/** Number of rows, and the customer of the last one. */
const endOf = (rows: readonly SourceRow[]) => {
  let count = 0;
  let lastId: string | undefined;
  for (const { id } of rows) {
    count += 1;
    lastId = id ?? lastId;
  }
  return { count, lastId };
};

/** The rows of a file, without those before `skip`, and at most `limit`; 0 means no limit. */
async function* rowsOf(bytes: AsyncIterable<Uint8Array>, skip: number, limit: number): AsyncGenerator<SourceRow> {
  let position = 0;
  for await (const row of readRowsFile(bytes)) {
    if (limit > 0 && position >= limit) return;
    if (position++ >= skip) yield row;
  }
}

/**
 * Reads rows into parts of 1,000, after the written ones, until the last part is written or the time is up.
 *
 * @returns the number of rows in parts, and whether the last part is written
 * @throws {PipelineError} `RUN_TAKEN_OVER` if another worker wrote the same part with another end
 */
export const extractUsers = async (options: ExtractUsersOptions) => {
  const { run, folder, parts, openSource, progress } = options;
  const { source, plan, pages, days, limit } = run.iterable;
  const { paths, complete } = await parts.surveyRows();
  let position = paths.length;
  // Every part except the last is full.
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
  /** An existing part with the same end is ours, and its response was lost. Another end shows another worker. */
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

  async function* unread(): AsyncGenerator<SourceRow> {
    if (limit > 0 && rows >= limit) return;
    if (source === 'rows') return yield* rowsOf(folder.readBytes(rowsFilePath), rows, limit);
    const query = {
      plan,
      pages,
      cutoff: cutoffOf(Date.parse(run.started_at), days),
      limit: limit === 0 ? 0 : limit - rows,
      afterId,
    };
    yield* (await openSource()).rows(query);
  }
  for await (const row of unread()) {
    // Only a further row shows that a full part is not the last.
    if (pending.length === usersPerPart) {
      await write(false);
      if (progress.isTurnOver(snapshot())) return { rows, complete: false };
    }
    pending.push(row);
  }
  await write(true);
  return { rows, complete: true };
};
