import type { VisitedExecution } from './graph';
import type { VisitEnd } from './visits';

/** One turn of a state: an invocation of its Lambda, or a wait. */
export interface Turn {
  /** Epoch ms. */
  readonly startedMs: number;
  /** Epoch ms; undefined while it lasts. */
  readonly endedMs: number | undefined;
  readonly end: VisitEnd | undefined;
  /** Name of its error. */
  readonly error: string | undefined;
}

/** The turns of one state, for one portal. */
export interface WaterfallRow {
  readonly portal: string | undefined;
  readonly state: string;
  /** Whether the state only waits. */
  readonly isWait: boolean;
  /** The oldest first. */
  readonly turns: readonly Turn[];
}

/** The states that take time. The others decide or shape data. */
const timedTypes: readonly string[] = ['Task', 'Wait'];

/** The turns of a run by portal and state, in the order in which the states were first entered. */
export const waterfallOf = (executions: readonly VisitedExecution[]): WaterfallRow[] => {
  const rows = executions.flatMap(({ portal, visits }) =>
    [
      ...Map.groupBy(
        visits.filter(({ type }) => timedTypes.includes(type)),
        ({ state }) => state,
      ),
    ].map(
      ([state, own]): WaterfallRow => ({
        portal,
        state,
        isWait: own.every(({ type }) => type === 'Wait'),
        turns: own.map(({ enteredMs, leftMs, end, error }) => ({ startedMs: enteredMs, endedMs: leftMs, end, error })),
      }),
    ),
  );
  const startOf = ({ turns }: WaterfallRow): number => turns[0]?.startedMs ?? 0;
  const portalStart = new Map<string | undefined, number>();
  for (const row of rows) {
    portalStart.set(row.portal, Math.min(portalStart.get(row.portal) ?? Number.POSITIVE_INFINITY, startOf(row)));
  }
  // The rows of a portal stay together; those of the run itself sort alone.
  const groupStart = (row: WaterfallRow): number =>
    row.portal === undefined ? startOf(row) : (portalStart.get(row.portal) ?? 0);
  return rows.sort(
    (a, b) =>
      groupStart(a) - groupStart(b) || (a.portal ?? '').localeCompare(b.portal ?? '') || startOf(a) - startOf(b),
  );
};
