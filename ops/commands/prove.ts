import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import * as z from 'zod';
import { accounted, type Gap, type Standing, unaccounted } from '../services/completeness/ledger';
import { type Proof, prove } from '../services/completeness/prove';
import { exitCodes } from './exit-codes';
import { sinceSchema } from './input';
import { formatDuration, plural, renderTable, type Surroundings, type Terminal } from './terminal';
import type { Attach, Session } from './verb';

const help = `
What it proves, for every order that Qualia lists as open, or that was open at
the last pass of the reconciler: it has an item here; it is posted, in flight
for less than 15 minutes, or FAILED, where it can be replayed; the status in the
payload that was read last is the one that Qualia shows now; and an open order
was checked since --since. It exits with 0 only if every order is accounted for
in this way.

What it cannot see: a change of anything but the status after the last check
(the reconciler checks every open order once a day); an order that opened and
closed between two passes and whose webhooks were all lost; an order that closed
before the last pass and changed afterwards; what became of an order inside the
internal API.

It reads only: the list at Qualia (a call for 90 orders, at the reconciler's
pace), the items, and a payload in S3 for each order that was posted. It needs
lambda:GetFunctionConfiguration on the reconciler, and to read Qualia's secret,
the table, its index, and both buckets.`;

const longestWaitSeconds = 600;
/** Ids that are shown of each gap. */
const shownIds = 20;

const waitSchema = z.string().transform((text, context): number => {
  const seconds = /^\d{1,3}$/.test(text) ? Number(text) : Number.POSITIVE_INFINITY;
  if (seconds <= longestWaitSeconds) return seconds;
  context.addIssue({ code: 'custom', message: `must be a whole number from 0 to ${longestWaitSeconds}` });
  return z.NEVER;
});

/** Adds `prove`. */
export const addProveCommand = (program: Command, attach: Attach, now: Surroundings['now']): void => {
  const command = program
    .command('prove')
    .description('prove that nothing that Qualia knows is missing or out of date here: prints the ledger')
    .option('--since <when>', 'open orders must have been checked since then: 24h, or an ISO 8601 time', '24h')
    .option('--wait <seconds>', 'time for webhooks on their way, before an order counts as missing or drifted', '15')
    .addHelpText('after', help);
  attach(command, {
    schema: z.object({ since: sinceSchema(now()), wait: waitSchema }),
    run: ({ since, wait }, session) => runProve(since, wait * 1_000, session),
  });
};

const runProve = (since: Date, waitMs: number, session: Session): Promise<number> => {
  const { stage, stageLabel, terminal, now } = session;
  return session.interruptible(async (signal) => {
    const live = terminal.live();
    const proof = await prove(
      stage,
      { since, waitMs, signal, onProgress: (progress) => live.show([progress]) },
      { now, sleep: (ms) => sleep(ms, undefined, { signal }) },
    );
    live.end();
    if (proof === undefined) {
      terminal.note('Aborted: nothing is proved.');
      return exitCodes.aborted;
    }
    terminal.result(toDocument(proof, stage.name, since), () => render(proof, { stageLabel, since, terminal }));
    return isAccountedFor(proof) ? exitCodes.done : exitCodes.failed;
  });
};

const sum = (counts: Proof['counts'], standings: readonly Standing[]): number =>
  standings.reduce((total, standing) => total + counts[standing], 0);

const isAccountedFor = ({ counts, isListComplete }: Proof): boolean => isListComplete && sum(counts, unaccounted) === 0;

const knownIn = ({ listed, gone }: Proof): number => listed + gone;
const heldIn = (proof: Proof): number => knownIn(proof) - proof.counts.missing;

const toDocument = (proof: Proof, stage: string, since: Date) => ({
  stage,
  since: since.toISOString(),
  accounted_for: isAccountedFor(proof),
  known: knownIn(proof),
  held: heldIn(proof),
  ...proof.counts,
  oldest_in_flight_seconds: Math.round(proof.oldestInFlightMs / 1_000),
  open: proof.listed,
  left_the_open_set: proof.gone,
  failed_since: proof.failedSince,
  last_pass_at: proof.lastPassAtMs === undefined ? null : new Date(proof.lastPassAtMs).toISOString(),
  list_complete: proof.isListComplete,
  status_shown: proof.showsStatus,
  unaccounted: proof.unaccounted.map(({ orderId, gap }) => ({ order_id: orderId, reason: gap })),
});

const meanings: Readonly<Record<Gap, string>> = {
  missing: 'never reached us: the reconciler starts them within the hour',
  drifted: 'changed at Qualia, or closed there, since they were read: the reconciler reads them again within the hour',
  stuck: 'in flight for over 15 minutes: an API is down, or their message was lost',
  unchecked: 'not checked since then: does the reconciler run?',
  unreadable: 'their item is not of this version',
};

interface View {
  readonly stageLabel: string;
  readonly since: Date;
  readonly terminal: Terminal;
}

const render = (proof: Proof, { stageLabel, since, terminal }: View): string => {
  const { counts } = proof;
  const { colors, time } = terminal;
  const inFlight = counts.in_flight === 0 ? '' : `the oldest for ${formatDuration(proof.oldestInFlightMs / 1_000)}`;
  const failed = counts.failed === 0 ? '' : 'visible and replayable: pipeline orders list --status FAILED';
  const gapRow = (gap: Gap): string[] =>
    counts[gap] === 0
      ? [`  ${gap}`, '0', '']
      : [colors.red(`  ${gap}`), colors.red(String(counts[gap])), meanings[gap]];
  const rows = [
    ['known at Qualia', String(knownIn(proof)), `${proof.listed} open, ${proof.gone} that left the open set`],
    ['held here', String(heldIn(proof)), ''],
    ['  proven', String(counts.proven), `posted as Qualia shows them, open ones checked since ${since.toISOString()}`],
    ['  in flight', String(counts.in_flight), inFlight],
    ['  failed', String(counts.failed), failed],
    ...unaccounted.map(gapRow),
  ];
  const gaps = sum(counts, unaccounted);
  const lastPass =
    proof.lastPassAtMs === undefined
      ? 'The reconciler has not completed a pass yet: orders that left the open set are not known.'
      : `Last pass of the reconciler: ${time(new Date(proof.lastPassAtMs))}`;
  return [
    renderTable(rows),
    ...idLines(proof),
    lastPass,
    ...(proof.failedSince > 0 ? [`${plural(proof.failedSince, 'order')} failed since then, open or not.`] : []),
    ...(proof.showsStatus ? [] : ["Qualia's list does not show statuses: only checks prove the content of an order."]),
    ...(proof.isListComplete ? [] : [colors.red("Qualia's list repeats itself: orders may be missing from it.")]),
    isAccountedFor(proof)
      ? colors.green(`Every order that Qualia knows is accounted for in ${stageLabel}.`)
      : colors.red(`${plural(gaps, 'order')} of ${sum(counts, [...accounted, ...unaccounted])} not accounted for.`),
  ].join('\n');
};

const idLines = ({ unaccounted: gaps }: Proof): string[] =>
  unaccounted.flatMap((gap) => {
    const ids = gaps.filter((one) => one.gap === gap).map(({ orderId }) => orderId);
    if (ids.length === 0) return [];
    const rest = ids.length > shownIds ? [`and ${ids.length - shownIds} more (--json has all)`] : [];
    return [`${gap}: ${[...ids.slice(0, shownIds), ...rest].join(', ')}`];
  });
