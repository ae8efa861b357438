import { ServiceFault, toServiceFault } from '../fault';
import { createLogService } from '../logs';
import type { StageConnection } from '../stage-connection';

/** A worker whose open circuit stops a replay. */
export type CircuitOwner = 'download' | 'processing';

export interface CircuitWatchOptions {
  readonly owners: readonly CircuitOwner[];
  readonly now: () => number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Ends the watch. */
  readonly signal: AbortSignal;
  /** Called if the logs cannot be read. The watch has then ended. */
  readonly onBlind: (fault: ServiceFault) => void;
}

const firstLookMs = 2_000;
const slowestLookMs = 15_000;
/** Time in which a log line becomes searchable in CloudWatch Logs. */
const ingestionMs = 90_000;

/** A worker adds this metric when its circuit opens, and at most once per probe interval while it is open. */
const openedBy = (owners: readonly CircuitOwner[]): string =>
  [
    `filter (CircuitOpen > 0 or CircuitOpen.0 > 0) and service in [${owners.map((owner) => `"${owner}"`).join(', ')}]`,
    'stats count() as times by service',
  ].join(' | ');

/**
 * Searches the logs repeatedly for a circuit that opened since the watch began.
 *
 * @returns a function that returns the workers found so far
 */
export const watchCircuits = (
  stage: Pick<StageConnection, 'name' | 'logs'>,
  { owners, now, sleep, signal, onBlind }: CircuitWatchOptions,
): (() => readonly string[]) => {
  const logs = createLogService(stage);
  const sinceMs = now();
  const opened = new Set<string>();

  const look = async (): Promise<void> => {
    const untilMs = now();
    const since = new Date(Math.max(sinceMs, untilMs - ingestionMs - slowestLookMs));
    const query = { since, until: new Date(untilMs), limit: 10, signal };
    for await (const { rows } of logs.run(openedBy(owners), query)) {
      for (const row of rows) opened.add(row.get('service') ?? '');
    }
  };

  const watch = async (): Promise<void> => {
    for (let lookMs = firstLookMs; ; lookMs = Math.min(2 * lookMs, slowestLookMs)) {
      await sleep(lookMs, signal);
      if (signal.aborted) return;
      await look();
    }
  };

  watch().catch((thrown: unknown) => {
    if (!signal.aborted) onBlind(toServiceFault(thrown) ?? new ServiceFault('failed', String(thrown), thrown));
  });
  return () => [...opened];
};
