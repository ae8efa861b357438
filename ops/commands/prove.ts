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
It checks every order that Qualia lists as open or that was open at the last
pass of the reconciler:
  - the order has an item in the table
  - it is posted, in flight for less than 15 minutes, or FAILED (replayable)
  - its newest stored payload has the status that Qualia shows now
  - if it is open, it was checked since --since
The exit code is 0 only if all of this is true for every order.

It cannot see:
  - a change of anything but the status since the last check (the reconciler
    checks every open order once a day)
  - an order that opened and closed between two passes and whose webhooks were
    all lost
  - an order that closed before the last pass and changed afterwards
  - what the internal API did with an order

It changes nothing. It reads Qualia's list (one call per 90 orders, at the
reconciler's rate), the items, and one payload in S3 per posted order. It needs
lambda:GetFunctionConfiguration on the reconciler, and read access to Qualia's
secret, the table, its index and both buckets.`;

const maxWaitSeconds = 600;
/** Maximum number of order IDs shown per gap. */
const shownIds = 20;

const waitSchema = z.string().transform((text, context): number => {
  const seconds = /^\d{1,3}$/.test(text) ? Number(text) : Number.POSITIVE_INFINITY;
  if (seconds <= maxWaitSeconds) return seconds;
  context.addIssue({ code: 'custom', message: `must be a whole number from 0 to ${maxWaitSeconds}` });
  return z.NEVER;
});

/** Adds `prove`. */
export const addProveCommand = (program: Command, attach: Attach, now: Surroundings['now']): void => {
  const command = program
    .command('prove')
    .description('prove that no order is missing or out of date compared with Qualia')
    .option('--since <when>', 'open orders must have been checked since: 24h, or an ISO 8601 time', '24h')
    .option('--wait <seconds>', 'how long to wait for webhooks before an order counts as missing or drifted', '15')
    .addHelpText('after', help);
  attach(command, {
    schema: z.object({ since: sinceSchema(now), wait: waitSchema }),
    run: ({ since, wait }, session) => runProve(since, wait * 1_000, session),
  });
};

const runProve = (since: Date, waitMs: number, session: Session): Promise<number> => {
  const { stage, stageLabel, stageCommand, terminal, now } = session;
  return session.interruptible(async (signal) => {
    const live = terminal.live();
    const proof = await prove(
      stage,
      { since, waitMs, signal, onProgress: (progress) => live.show([progress]) },
      { now, sleep: (ms) => sleep(ms, undefined, { signal }) },
    );
    live.end();
    if (proof === undefined) {
      terminal.note('Aborted: nothing was proved.');
      return exitCodes.aborted;
    }
    terminal.result(toDocument(proof, stage.name, since), () =>
      render(proof, { stageLabel, stageCommand, since, terminal }),
    );
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
  missing: 'never received; the reconciler starts them within the hour',
  drifted: 'changed or closed at Qualia since; the reconciler reads them again within the hour',
  stuck: 'in flight for over 15 minutes: an API is down, or a message was lost',
  unchecked: 'not checked since then: is the reconciler running?',
  unreadable: 'this version cannot read their items',
};

interface View {
  readonly stageLabel: string;
  readonly stageCommand: string;
  readonly since: Date;
  readonly terminal: Terminal;
}

const render = (proof: Proof, { stageLabel, stageCommand, since, terminal }: View): string => {
  const { counts } = proof;
  const { colors, time } = terminal;
  const inFlight = counts.in_flight === 0 ? '' : `the oldest for ${formatDuration(proof.oldestInFlightMs / 1_000)}`;
  const failed = counts.failed === 0 ? '' : `see ${stageCommand} orders list --status FAILED`;
  const gapRow = (gap: Gap): string[] =>
    counts[gap] === 0
      ? [`  ${gap}`, '0', '']
      : [colors.red(`  ${gap}`), colors.red(String(counts[gap])), meanings[gap]];
  const rows = [
    ['known at Qualia', String(knownIn(proof)), `${proof.listed} open, ${proof.gone} no longer open`],
    ['held here', String(heldIn(proof)), ''],
    ['  proven', String(counts.proven), `posted as Qualia shows them, open ones checked since ${since.toISOString()}`],
    ['  in flight', String(counts.in_flight), inFlight],
    ['  failed', String(counts.failed), failed],
    ...unaccounted.map(gapRow),
  ];
  const gaps = sum(counts, unaccounted);
  const lastPass =
    proof.lastPassAtMs === undefined
      ? 'The reconciler has not completed a pass yet, so orders that are no longer open are unknown.'
      : `Last pass of the reconciler: ${time(new Date(proof.lastPassAtMs))}`;
  return [
    renderTable(rows),
    ...idLines(proof),
    lastPass,
    ...(proof.failedSince > 0
      ? [`${plural(proof.failedSince, 'order')} failed since then, open at Qualia or not.`]
      : []),
    ...(proof.showsStatus
      ? []
      : ["Qualia's list does not show statuses: only the reconciler's checks prove an order's content."]),
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
