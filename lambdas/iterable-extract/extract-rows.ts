import { usersPerPart } from '../../shared/iterable/parts';
import type { SourceRow } from '../../shared/iterable/rows';
import { cutoffOf, type UserSource } from '../../shared/iterable/source';
import type { IterablePlan } from '../../shared/runs/plan';
import type { Progress } from '../../shared/runs/progress';
import type { UserParts } from '../../shared/runs/user-parts';

export interface ExtractRowsOptions {
  readonly run: IterablePlan;
  readonly parts: UserParts;
  readonly openSource: () => Promise<UserSource>;
  readonly progress: Progress;
  readonly isTimeUp: () => boolean;
}

/**
 * Reads rows into parts of 1,000, behind those that are written, until the last is written or the time is up.
 *
 * @returns the rows that are in parts, and whether the last part is written
 */
export const extractRows = async (options: ExtractRowsOptions) => {
  const { run, parts, openSource, progress, isTimeUp } = options;
  const { plan, pages, days, limit } = run.iterable;
  const { paths, complete } = await parts.surveyRows();
  let position = paths.length;
  // Every part but the last is full.
  let rows = Math.max(0, paths.length - 1) * usersPerPart;
  let afterId: string | undefined;
  const newest = paths.at(-1);
  if (newest !== undefined) {
    for await (const { id } of parts.readRows(newest)) {
      rows += 1;
      afterId = id ?? afterId;
    }
  }
  const tell = () => progress.update({ done: rows, message: `iterable: ${rows} users read` });
  tell();
  if (complete) return { rows, complete };

  let pending: SourceRow[] = [];
  const write = async (isLast: boolean): Promise<void> => {
    await parts.writeRows(position++, isLast, pending);
    rows += pending.length;
    pending = [];
    tell();
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
        if (isTimeUp()) return { rows, complete: false };
      }
      pending.push(row);
    }
  }
  await write(true);
  return { rows, complete: true };
};
