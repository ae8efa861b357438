import type { Digests } from '../../shared/iterable/digests';
import type { IterablePlan } from '../../shared/iterable/input';
import { type SentIndex, sentListKey } from '../../shared/iterable/sent-index';
import { createSentUsers } from '../../shared/iterable/sent-users';
import type { UserSource } from '../../shared/iterable/source';
import { type ComparisonBase, createUserParts, type RowsRun, type UserParts } from '../../shared/iterable/user-parts';
import type { OpenRunFolder, RunFolder } from '../../shared/runs/artifacts';
import { type Comparison, createComparison } from './compare-users';

export interface ComparisonDependencies {
  readonly openSource: () => Promise<UserSource>;
  readonly openDigests: () => Promise<Digests>;
  readonly sentIndex: Pick<SentIndex, 'find'>;
  readonly openFolder: OpenRunFolder;
}

interface Extraction {
  readonly run: IterablePlan;
  readonly parts: UserParts;
  readonly folder: RunFolder;
  /** Number of rows, once all are in parts. */
  readonly rows: number;
}

/** Prepares the comparison of a run with `only_changed`: chooses its base once, for all turns of the run. */
export const createComparisonSetup = ({ openSource, openDigests, sentIndex, openFolder }: ComparisonDependencies) => {
  const chooseBase = async (key: string): Promise<ComparisonBase> => {
    const entry = await sentIndex.find(key);
    if (entry === undefined) return { key, parts: 0, rows_runs: [] };
    const parts = await createSentUsers(openFolder(entry.run_id)).countParts();
    // The folder may have expired or been deleted: everyone is then sent, but the index is still what it was.
    return { key, run_id: entry.run_id, parts: parts === entry.parts ? parts : 0, rows_runs: entry.rows_runs };
  };

  /** The customers in files that were sent since the base. @returns undefined if rows have expired or been deleted */
  const readStale = async (rowsRuns: readonly RowsRun[]): Promise<ReadonlySet<string> | undefined> => {
    const ids = new Set<string>();
    for (const { run_id, parts: expected } of rowsRuns) {
      const parts = createUserParts(openFolder(run_id));
      const { paths } = await parts.surveyRows();
      if (paths.length !== expected) return undefined;
      for (const path of paths) for (const { id } of await parts.readRows(path)) if (id !== null) ids.add(id);
    }
    return ids;
  };

  return async ({ run, parts, folder, rows }: Extraction) => {
    const { only_changed, full, limit, on_removed } = run.iterable;
    if (!only_changed) return undefined;
    const digests = await openDigests();
    let base = await parts.readBase();
    if (base === undefined) {
      base = await chooseBase(sentListKey(run.iterable, digests.project));
      // Another worker of the run may have been first.
      if (!(await parts.writeBase(base))) base = (await parts.readBase()) ?? base;
    }
    const stale = base.parts === 0 ? undefined : await readStale(base.rows_runs);
    const comparison: Comparison = createComparison({
      parts,
      folder,
      digests,
      full,
      base: base.run_id === undefined || stale === undefined ? undefined : openFolder(base.run_id),
      ...(stale && { stale }),
      isLimited: limit > 0 && rows >= limit,
      readLeavers:
        on_removed === 'ignore'
          ? undefined
          : async function* (ids) {
              yield* (await openSource()).leavers(ids);
            },
    });
    return { comparison, baseParts: base.parts };
  };
};
