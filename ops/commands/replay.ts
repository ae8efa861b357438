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
import { describeWait, type Replay, renderPlan, renderReplay, renderResult, toReplayDocument } from './replay-view';
import { oneLine, plural, type Surroundings, type Terminal } from './terminal';
import { noteUnreadable } from './unreadable-orders';
import type { Attach, ChangingSession, Session } from './verb';

const pathSchema = z.string().min(1, 'is empty');

/** Highest `--rate`, in orders per second. */
export const maxReplayRate = 100;
/** Maximum number of orders listed in a replay's plan. */
const plannedRows = 20;
/** Maximum width of the ID column in result lines. A longer ID shifts the other columns. */
const widestId = 29;

const meanings = `
What is replayed:
  (default)     Qualia's current state: a new round downloads the order, and
                posts it if anything has changed.
  --from raw    The stored payload of the newest round, or of --round, mapped
                again by the deployed code without a call to Qualia. Posted if
                anything has changed. Use it after a mapping was fixed.
  --force       With either source: post even if nothing has changed, with a new
                idempotency key, so that the internal API treats it as new. Use
                it if the internal API has lost data. Asks twice.

More than ${firstWave} orders:
  The first ${firstWave} orders must end before 6 more start, then 12, 24 and so on. The
  rate never exceeds --rate. The replay stops when more than 10 % have failed, a
  circuit opens, or no order ends for 15 minutes. By then, no more than ${firstWave} orders
  plus a tenth of all have failed. The ids of orders that were not started are
  in the --rest file: pass it to --ids to continue. Ctrl-C stops the replay too.`;

/** Adds `orders replay`. */
export const addReplayCommand = (orders: Command, attach: Attach, now: Surroundings['now']): void => {
  const replay = orders
    .command('replay')
    .description('process orders again in a new round, and follow each to its end')
    .argument('[id...]', "the orders' ids at Qualia; or use --ids, or --status with --since")
    .option('--ids <file>', 'a file with one id per line; # begins a comment')
    .option('--status <status>', 'FAILED or PROCESSED: all orders with this status')
    .option('--since <when>', 'with --status: ended since: 30m, 24h, 7d, or an ISO 8601 time')
    .option('--from <source>', 'qualia or raw: see below', 'qualia')
    .option('--round <round>', 'with --from raw, for one order: an older round')
    .option('--force', 'post even if nothing has changed; asks twice, see below')
    .option('--rate <count>', `maximum number of orders per second, up to ${maxReplayRate}`, '10')
    .option('--rest <file>', 'file for the ids that were not started; default: a temporary file')
    .option('-y, --yes', 'skip the questions, with --force both of them')
    .addHelpText('after', meanings);
  attach.changing(replay, {
    schema: z.object({
      id: orderIdsSchema,
      ids: pathSchema.optional(),
      status: z.enum(['FAILED', 'PROCESSED'], 'must be FAILED or PROCESSED').optional(),
      since: sinceSchema(now).optional(),
      from: z.enum(['qualia', 'raw'], 'must be qualia or raw'),
      round: roundSchema.optional(),
      force: z.boolean().default(false),
      rate: countSchema(maxReplayRate),
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

/** Orders are given by ID, in a file, or by status: exactly one of these. */
const replayRules = ({ id, ids, status, since, from, round }: RawInput): string[] => {
  const named = Array.isArray(id) ? id.length : 0;
  const chosen = status !== undefined || since !== undefined;
  const ways = [named > 0, ids !== undefined, chosen].filter(Boolean).length;
  return [
    ...(ways > 1 ? ['give only one of order ids, --ids, and --status with --since'] : []),
    ...(ways === 0 ? ['give order ids, --ids, or --status with --since'] : []),
    ...(chosen && status === undefined ? ['--since needs --status FAILED or PROCESSED'] : []),
    ...(chosen && since === undefined ? ['--status needs --since, such as --since 24h'] : []),
    ...(round !== undefined && from !== 'raw' ? ['--round needs --from raw'] : []),
    ...(round !== undefined && named !== 1 ? ['--round needs exactly one order id: rounds belong to one order'] : []),
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

/** The orders to replay, and the current state of the first ones. */
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
        ? await service.listProcessed(since, (orders) => live.show([`${plural(orders, 'order')} read`]))
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

/** Plans a replay, asks, and follows the orders to their end. @returns the exit code */
export const runReplay = async (request: ReplayRequest, session: ChangingSession): Promise<number> => {
  const { stageLabel, stageCommand, terminal, now, temporaryDirectory, reason } = session;
  const { orderIds, shown } = await chooseOrders(request, session);
  const replay: Replay = { ...request, stageLabel, stageCommand, reason, stage: session.stage, orderIds };
  const notBegun = { fault: undefined, openCircuits: [] };
  if (orderIds.length === 0) return conclude(replay, [], { ...notBegun, stopped: undefined, left: [] }, session);

  const stamp = fileStamp(new Date(now()).toISOString());
  const path = request.rest ?? join(temporaryDirectory, `replay-${stamp}-${randomBytes(2).toString('hex')}.ids`);
  const rest = orderIds.length > firstWave ? createRestFile(path, request.file, now) : undefined;
  terminal.note(renderPlan(replay, shown, rest?.path));
  const questions = [
    `Start ${plural(orderIds.length, 'new round')} in ${stageLabel}?`,
    ...(request.force ? [`Really post ${plural(orderIds.length, 'order')}, even if nothing has changed?`] : []),
  ];
  if (!request.yes && !(await terminal.confirm(...questions))) {
    return conclude(replay, [], { ...notBegun, stopped: 'interrupted', left: orderIds }, session);
  }

  await session.beginChange({ ids: orderIds });
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
      onWait: (orders) => terminal.note(`${describeWait(orders)}; Ctrl-C ends the wait.`),
      onProgress: (left) => keepRest(() => rest?.update(left), terminal),
      onBlind: (fault) =>
        terminal.note(`The logs cannot be searched, so an open circuit may go unnoticed: ${oneLine(fault.message)}`),
    }),
  );
  await keepRest(() => rest?.close(finished.left), terminal);
  return conclude({ ...replay, restPath: rest?.path }, results, finished, session);
};

/** Writes the --rest file. A full disk does not end the replay. */
const keepRest = async (write: () => Promise<void> | undefined, terminal: Terminal): Promise<void> => {
  try {
    await write();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    terminal.note(error.message);
  }
};

/** Prints the results. @returns the exit code */
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
