import { setTimeout as wait } from 'node:timers/promises';
import { InvokeCommand } from '@aws-sdk/client-lambda';
import { ServiceFault } from './fault';
import { createLogService, type LogRow } from './logs';
import type { StageConnection } from './stage-connection';

/** Counts of a pass. */
export type PassCounts = Readonly<
  Record<'known' | 'judged' | 'missing' | 'drifted' | 'stuck' | 'in_flight' | 'duration_seconds', number>
>;

/** What the reconciler reported last. */
export type PassProgress =
  | { readonly state: 'started' | 'under way' | 'waiting' }
  | { readonly state: 'continues' | 'complete'; readonly counts: PassCounts }
  | { readonly state: 'failed'; readonly error: string };

const columns: Readonly<Record<keyof PassCounts, string>> = {
  known: 'known',
  judged: 'judged',
  missing: 'missing',
  drifted: 'drifted_unnoticed',
  stuck: 'stuck',
  in_flight: 'in_flight',
  duration_seconds: 'duration_seconds',
};
const states: Readonly<Record<string, PassProgress['state']>> = {
  'reconciliation not needed': 'under way',
  'reconciliation waits for the download queue': 'waiting',
  'reconciliation continues': 'continues',
  'orders reconciled': 'complete',
  'reconciliation failed': 'failed',
};
const query = [
  `filter service = "reconciler" and message in [${Object.keys(states)
    .map((message) => `"${message}"`)
    .join(', ')}]`,
  `fields @timestamp, message, outcome, error, ${Object.values(columns).join(', ')}`,
  'sort @timestamp desc',
].join(' | ');

const pollMs = { local: 500, aws: 5_000 } as const;
/** Longest time without a line: an invocation ends within 15 minutes, and its lines are found a little later. */
const silentMs = 20 * 60_000;

const progressOf = (row: LogRow): PassProgress | undefined => {
  const state = states[row.get('message') ?? ''];
  if (state === undefined || row.get('outcome') === 'superseded') return undefined;
  if (state === 'failed') return { state, error: row.get('error') ?? 'unknown error' };
  if (state !== 'complete' && state !== 'continues') return { state };
  const counts = Object.entries(columns).map(([name, column]) => [name, Number(row.get(column) ?? 0)]);
  return { state, counts: Object.fromEntries(counts) as PassCounts };
};

/** Invokes the reconciler. It begins a pass, or resumes one that has stopped. A pass that is in progress continues. */
export const invokeReconciler = async ({ lambda, reconcilerFunctionName }: StageConnection): Promise<void> => {
  if (reconcilerFunctionName === undefined) {
    throw new ServiceFault(
      'unreachable',
      'The stage does not have the reconciler of this version: deploy the stage first.',
    );
  }
  await lambda.send(
    new InvokeCommand({ FunctionName: reconcilerFunctionName, InvocationType: 'Event', Payload: '{}' }),
  );
};

/**
 * Follows the reconciler in its log lines since `sinceMs`, until a pass is complete or has failed.
 *
 * @throws {ServiceFault} `failed` if it writes no line for 20 minutes
 */
export const followPass = async function* (
  stage: StageConnection,
  sinceMs: number,
  { now, signal }: { readonly now: () => number; readonly signal: AbortSignal },
): AsyncGenerator<PassProgress> {
  const logs = createLogService(stage);
  yield { state: 'started' };
  let newest = '';
  let heardMs = now();
  while (!signal.aborted) {
    await wait(stage.local ? pollMs.local : pollMs.aws, undefined, { signal }).catch(() => undefined);
    const rows = await logs.search(query, { since: new Date(sinceMs), until: new Date(now()), limit: 20 });
    const fresh = rows.filter((row) => (row.get('@timestamp') ?? '') > newest).reverse();
    for (const row of fresh) {
      newest = row.get('@timestamp') ?? newest;
      heardMs = now();
      const progress = progressOf(row);
      if (progress === undefined) continue;
      yield progress;
      if (progress.state === 'complete' || progress.state === 'failed') return;
    }
    if (now() - heardMs > silentMs) {
      throw new ServiceFault('failed', 'The reconciler has logged nothing for 20 minutes.');
    }
  }
};
