import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Command } from 'commander';
import * as z from 'zod';
import { fileStamp } from '../../shared/runs/files';
import { createOrderService, type ReplayCandidate, toCandidate } from '../services/orders';
import { firstWave } from '../services/replay/ramp';
import { type FinishedReplay, replayOrders } from '../services/replay/replay';
import type { ReplayResult } from '../services/replay/run-replay';
import type { ReplaySource } from '../services/replay/sources';
import { exitCodes } from './exit-codes';
import { createRestFile, readIdFile } from './id-file';
import {
  countSchema,
  type OrderId,
  orderIdsSchema,
  type RawInput,
  roundSchema,
  sinceSchema,
  UsageError,
} from './input';
import { type Replay, renderPlan, renderReplay, renderResult, toReplayDocument } from './replay-view';
import { oneLine, plural, type Surroundings, type Terminal } from './terminal';
import { noteUnreadable } from './unreadable-orders';
import type { Attach, Session } from './verb';

const pathSchema = z.string().min(1, 'is empty');

const highestRate = 100;
/** Rows of a replay's plan that are shown one by one. */
const plannedRows = 20;
/** Columns for the order's id in a result's line; a longer id moves the rest. */
const widestId = 29;

const meanings = `
What is sent through again:
  (default)     What Qualia says now: a new round downloads the order. It is
                posted unless that changes nothing.
  --from raw    The stored bytes of the order's newest round, or of --round,
                mapped again by the deployed code: Qualia is not called. It is
                posted unless that changes nothing. For a fixed mapping.
  --force       Either of these, and the order is posted whatever the
                comparison says, under a key of its own: the internal API takes
                it as new. For an internal API that lost data. Asks twice.

More than ${firstWave} orders:
  ${firstWave} orders start. When they have ended, 6 more start, then 12, 24 and so on,
  never more than --rate a second. The replay stops by itself when more than
  10 % fail, a circuit opens, or nothing ends for 15 minutes. Until then at
  most ${firstWave} orders and a tenth of all can have failed. Orders that were not
  started are kept in the --rest file: give it to --ids to continue. Ctrl-C
  stops it too.`;

/** Adds `orders replay`. */
export const addReplayCommand = (orders: Command, attach: Attach, now: Surroundings['now']): void => {
  const replay = orders
    .command('replay')
    .description('send orders through again in a new round, and follow each to its end')
    .argument('[id...]', "the orders' ids at Qualia; or say which by --ids, or by --status and --since")
    .option('--ids <file>', 'a file of ids, one a line; # begins a comment')
    .option('--status <status>', 'FAILED or PROCESSED: every order that ended so')
    .option('--since <when>', 'with --status: ended since then: 30m, 24h, 7d, or an ISO 8601 time')
    .option('--from <source>', 'qualia or raw: see below', 'qualia')
    .option('--round <round>', 'with --from raw, for one order: an older round')
    .option('--force', 'post whatever the comparison says; asks twice: see below')
    .option('--rate <count>', `at most so many a second, up to ${highestRate}`, '10')
    .option('--rest <file>', 'where the ids that were not started are kept; a temporary file without it')
    .option('-y, --yes', 'answer every question with yes, with --force both of them')
    .addHelpText('after', meanings);
  attach(replay, {
    schema: z.object({
      id: orderIdsSchema,
      ids: pathSchema.optional(),
      status: z.enum(['FAILED', 'PROCESSED'], 'must be FAILED or PROCESSED').optional(),
      since: sinceSchema(now()).optional(),
      from: z.enum(['qualia', 'raw'], 'must be qualia or raw'),
      round: roundSchema.optional(),
      force: z.boolean().default(false),
      rate: countSchema(highestRate),
      rest: pathSchema.optional(),
      yes: z.boolean().default(false),
    }),
    rules: replayRules,
    run: ({ id, ids, from, round, rate, ...input }, session) =>
      runReplay(
        {
          ...input,
          named: id,
          file: ids,
          source: from === 'raw' ? { kind: 'raw', round } : { kind: 'qualia' },
          ratePerSecond: rate,
        },
        session,
      ),
  });
};

/** The orders are named, listed in a file, or chosen: exactly one of these. */
const replayRules = ({ id, ids, status, since, from, round }: RawInput): string[] => {
  const named = Array.isArray(id) ? id.length : 0;
  const chosen = status !== undefined || since !== undefined;
  const ways = [named > 0, ids !== undefined, chosen].filter(Boolean).length;
  return [
    ...(ways > 1 ? ['order ids, --ids, and --status with --since exclude each other'] : []),
    ...(ways === 0 ? ['what to replay is missing: give order ids, --ids, or --status with --since'] : []),
    ...(chosen && status === undefined ? ['--since needs --status FAILED or PROCESSED'] : []),
    ...(chosen && since === undefined ? ['--status needs --since, such as --since 24h'] : []),
    ...(round !== undefined && from !== 'raw' ? ['--round needs --from raw'] : []),
    ...(round !== undefined && named !== 1 ? ['--round needs one order id: each order has rounds of its own'] : []),
  ];
};

interface ReplayRequest {
  readonly named: readonly OrderId[];
  readonly file?: string | undefined;
  readonly status?: 'FAILED' | 'PROCESSED' | undefined;
  readonly since?: Date | undefined;
  readonly source: ReplaySource;
  readonly force: boolean;
  readonly ratePerSecond: number;
  readonly rest?: string | undefined;
  readonly yes: boolean;
}

/** The orders to replay, and how the first of them stand. */
const chooseOrders = async (
  { named, file, status, since }: ReplayRequest,
  session: Session,
): Promise<{ readonly orderIds: readonly OrderId[]; readonly shown: readonly ReplayCandidate[] }> => {
  const { stage, terminal } = session;
  const service = createOrderService(stage);
  if (since !== undefined) {
    const live = terminal.live();
    const chosen =
      status === 'PROCESSED'
        ? await service.listProcessed(since, (orders) => live.show([`${plural(orders, 'order')} looked at`]))
        : await listFailed(since, session);
    live.end();
    return { orderIds: chosen.map(({ orderId }) => orderId), shown: chosen.slice(0, plannedRows) };
  }
  const orderIds = file === undefined ? named : readIdFile(file);
  return { orderIds, shown: await service.readCandidates(orderIds.slice(0, plannedRows)) };
};

const listFailed = async (since: Date, { stage, terminal }: Session): Promise<readonly ReplayCandidate[]> => {
  const { orders, unreadableIds } = await createOrderService(stage).listFailed(since);
  noteUnreadable(unreadableIds, terminal);
  return orders.map((order) => toCandidate(order.order_id, order));
};

const runReplay = async (request: ReplayRequest, session: Session): Promise<number> => {
  const { stageLabel, terminal, now, temporaryDirectory } = session;
  const { orderIds, shown } = await chooseOrders(request, session);
  const replay: Replay = { ...request, stageLabel, stage: session.stage, orderIds };
  const notBegun = { fault: undefined, openCircuits: [] };
  if (orderIds.length === 0) return conclude(replay, [], { ...notBegun, stopped: undefined, left: [] }, session);

  const stamp = fileStamp(new Date(now()).toISOString());
  const path = request.rest ?? join(temporaryDirectory, `replay-${stamp}-${randomBytes(2).toString('hex')}.ids`);
  const rest = orderIds.length > firstWave ? createRestFile(path, request.file, now) : undefined;
  terminal.note(renderPlan(replay, shown, rest?.path));
  const questions = [
    `Start ${plural(orderIds.length, 'new round')} in ${stageLabel}?`,
    ...(request.force ? [`Really post ${plural(orderIds.length, 'order')}, also where nothing changed?`] : []),
  ];
  if (!request.yes && !(await terminal.confirm(...questions))) {
    return conclude(replay, [], { ...notBegun, stopped: 'interrupted', left: orderIds }, session);
  }

  await rest?.open(orderIds);
  const results: ReplayResult[] = [];
  const width = Math.min(widestId, Math.max(...orderIds.map((orderId) => orderId.length)));
  const finished = await session.interruptible((signal) =>
    replayOrders(session.stage, orderIds, {
      ...request,
      signal,
      now,
      onResult: (result) => {
        results.push(result);
        terminal.report(renderResult(result, width, terminal));
      },
      onProgress: (left) => keepRest(() => rest?.update(left), terminal),
      onBlind: (fault) =>
        terminal.note(`The logs cannot be searched, so an open circuit may go unseen: ${oneLine(fault.message)}`),
    }),
  );
  await keepRest(() => rest?.close(finished.left), terminal);
  return conclude({ ...replay, restPath: rest?.path }, results, finished, session);
};

/** A full disk must not end a replay. */
const keepRest = async (write: () => Promise<void> | undefined, terminal: Terminal): Promise<void> => {
  try {
    await write();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    terminal.note(error.message);
  }
};

/** Reports what became of the orders. @returns the exit code */
const conclude = (
  replay: Replay,
  results: readonly ReplayResult[],
  finished: FinishedReplay,
  { terminal }: Session,
): number => {
  terminal.result(toReplayDocument(replay, results, finished), () => renderReplay(replay, results, finished));
  if (finished.stopped === 'interrupted') return exitCodes.aborted;
  const isDone = results.every(({ outcome }) => !['failed', 'not_started', 'under_way'].includes(outcome));
  return isDone && finished.stopped === undefined ? exitCodes.done : exitCodes.failed;
};
