import type { Command } from 'commander';
import * as z from 'zod';
import { type ErrorCode, errorCodes } from '../../shared/errors';
import { type WorkerName, workerNames } from '../services/dead-letters';
import { createOrderLog, type WaitingOrder, type WarnedOrder } from '../services/order-log/order-log';
import { createOrderService, type FailedOrder } from '../services/orders';
import { exitCodes } from './exit-codes';
import { countSchema, listableStatusSchema, type RawInput, sinceSchema } from './input';
import { toTriesDocument } from './order-view';
import { formatDuration, oneLine, renderTable, type Surroundings, type Terminal } from './terminal';
import { noteUnreadable } from './unreadable-orders';
import type { Attach, Session } from './verb';

const maxListed = 1_000;

const help = `
"--worker" selects the step in which an order failed or waits; "--stage" is the
deployment. Failed orders come from an index. Open orders and warnings come from the log
lines since --since; an open order is shown with its item's present status.
Nothing scans the table.`;

interface ListInput {
  readonly open: boolean;
  readonly warnings: boolean;
  readonly worker?: WorkerName | undefined;
  readonly code?: string | undefined;
  readonly issue?: string | undefined;
  /** Only orders from before this time. */
  readonly olderThan?: Date | undefined;
  readonly since: Date;
  readonly limit: number;
}

const warningCodes = ['BAD_DATE', 'BAD_NUMBER', 'MISSING_STATE'] as const;
const codes: readonly string[] = [...errorCodes, ...warningCodes] satisfies readonly (ErrorCode | string)[];

const rules = ({ open, warnings, status, worker, issue }: RawInput): string[] => [
  ...(issue !== undefined && (open || warnings) ? ['--issue cannot be combined with --open or --warnings'] : []),
  ...(open && warnings ? ['--open and --warnings cannot be combined'] : []),
  ...(status !== undefined && (open || warnings) ? ['--status cannot be combined with --open or --warnings'] : []),
  ...(warnings && worker !== undefined ? ['--worker cannot be combined with --warnings: only processing warns'] : []),
];

/** Adds `orders list`. */
export const addOrderListCommand = (orders: Command, attach: Attach, now: Surroundings['now']): void => {
  const list = orders
    .command('list')
    .description('list failed orders, newest first; open ones with --open; posted ones with --warnings')
    .option('--status <status>', 'FAILED, the default, is the only status with an index')
    .option('--open', 'list the orders that are not closed, oldest first, with their last error and next attempt')
    .option('--warnings', 'list the orders that were posted without a value that could not be read')
    .option('--worker <worker>', `${workerNames.join(' or ')}: where it failed, or what it waits for`)
    .option('--code <code>', 'only this code of the error, or of the warning')
    .option('--issue <id>', 'only failed orders with the cause of this issue')
    .option('--older-than <age>', 'only orders that failed, or were notified, before this: 15m, 2h, or a time')
    .option('--since <when>', 'failed or logged since: 30m, 24h, 7d, or an ISO 8601 time', '24h')
    .option('--limit <count>', `maximum number of orders, up to ${maxListed}`, '50')
    .addHelpText('after', help);
  attach(list, {
    schema: z.object({
      status: listableStatusSchema.optional(),
      open: z.boolean().default(false),
      warnings: z.boolean().default(false),
      worker: z.enum(workerNames, `must be ${workerNames.join(' or ')}`).optional(),
      code: z
        .string()
        .refine((code) => codes.includes(code), `must be one of ${codes.join(', ')}`)
        .optional(),
      issue: z.string().optional(),
      olderThan: sinceSchema(now).optional(),
      since: sinceSchema(now),
      limit: countSchema(maxListed),
    }),
    rules,
    run: async (input, session) => {
      if (input.open) return listOpen(input, session);
      return input.warnings ? listWarnings(input, session) : listFailed(input, session);
    },
  });
};

const isOlder = (iso: string, { olderThan }: ListInput): boolean =>
  olderThan === undefined || Date.parse(iso) <= olderThan.getTime();

const listFailed = async (input: ListInput, session: Session): Promise<number> => {
  const { stage, stageLabel, terminal } = session;
  const { orders: all, unreadableIds } = await createOrderService(stage).listFailed(input.since);
  const found = all.filter(
    ({ error, failed_at }) =>
      (input.worker ?? error.stage) === error.stage &&
      (input.code ?? error.code) === error.code &&
      (input.issue ?? error.issue_id) === error.issue_id &&
      isOlder(failed_at, input),
  );
  noteUnreadable(unreadableIds, terminal);
  const shown = firstOf(found, 'newest', input, terminal);
  const document = { ...headOf(input, session), total: found.length, orders: shown, unreadable: unreadableIds };
  terminal.result(document, () =>
    found.length === 0
      ? `No ${kindOf(input)}order in ${stageLabel} has failed since ${input.since.toISOString()}.`
      : renderFailures(shown, terminal),
  );
  return exitCodes.done;
};

const listOpen = async (input: ListInput, session: Session): Promise<number> => {
  const { stage, stageLabel, terminal, now } = session;
  const found = (await createOrderLog(stage, now).listOpen(input.since)).filter(
    ({ order, tries }) =>
      (input.worker ?? tries.worker) === tries.worker &&
      (input.code === undefined || input.code === tries.lastFailure?.code) &&
      isOlder(order.notified_at, input),
  );
  const shown = firstOf(found, 'oldest', input, terminal);
  const orders = shown.map(({ order, tries }) => ({ order, tries: toTriesDocument(tries) }));
  terminal.result({ ...headOf(input, session), total: found.length, orders }, () =>
    found.length === 0
      ? `No ${kindOf(input)}order in ${stageLabel} that wrote a line since ${input.since.toISOString()} is open.`
      : renderOpen(shown, now()),
  );
  return exitCodes.done;
};

const listWarnings = async (input: ListInput, session: Session): Promise<number> => {
  const { stage, stageLabel, terminal, now } = session;
  const found = (await createOrderLog(stage, now).listWarned(input.since)).filter(
    ({ code, processedAt }) => (input.code ?? code) === code && isOlder(processedAt.toISOString(), input),
  );
  const shown = firstOf(found, 'newest', input, terminal);
  const orders = shown.map(({ orderId, processedAt, code, field }) => ({
    order_id: orderId,
    processed_at: processedAt.toISOString(),
    code,
    field,
  }));
  terminal.result({ ...headOf(input, session), total: found.length, orders }, () =>
    found.length === 0
      ? `No order in ${stageLabel} was posted with ${kindOf(input)}warnings since ${input.since.toISOString()}.`
      : renderWarnings(shown, terminal),
  );
  return exitCodes.done;
};

const headOf = ({ since }: ListInput, { stage }: Session) => ({ stage: stage.name, since: since.toISOString() });
const kindOf = ({ worker, code }: ListInput): string =>
  [code, worker].map((word) => (word === undefined ? '' : `${word} `)).join('');

/** The first entries, up to the limit. Notes how many there are if that is not all. */
const firstOf = <T>(found: readonly T[], first: string, { limit }: ListInput, terminal: Terminal): readonly T[] => {
  if (found.length > limit) terminal.note(`Showing the ${first} ${limit} of ${found.length}; --limit shows more.`);
  return found.slice(0, limit);
};

const renderFailures = (orders: readonly FailedOrder[], { age }: Terminal): string =>
  renderTable(
    orders.map(({ order_id, failed_at, error }) => [
      order_id,
      age(failed_at),
      error.stage,
      error.code,
      oneLine(error.message),
    ]),
    ['ORDER', 'FAILED', 'WORKER', 'CODE', 'ERROR'],
  );

const secondsBetween = (from: number, to: number): string => formatDuration(Math.abs(to - from) / 1_000);

const renderOpen = (orders: readonly WaitingOrder[], nowMs: number): string =>
  renderTable(
    orders.map(({ order, tries: { worker, attempts, lastFailure, isHeldByCircuit, nextAttemptAt } }) => [
      order.order_id,
      worker,
      secondsBetween(Date.parse(order.notified_at), nowMs),
      String(attempts),
      lastFailure ? `${lastFailure.code}${isHeldByCircuit && attempts > 0 ? ', circuit open' : ''}` : 'first attempt',
      nextAttemptAt === undefined
        ? '-'
        : `${nextAttemptAt.getTime() > nowMs ? 'in ' : 'due for '}${secondsBetween(nextAttemptAt.getTime(), nowMs)}`,
    ]),
    ['ORDER', 'WAITS FOR', 'OPEN FOR', 'FAILED CALLS', 'LAST ERROR', 'NEXT ATTEMPT'],
  );

const renderWarnings = (orders: readonly WarnedOrder[], { age }: Terminal): string =>
  renderTable(
    orders.map(({ orderId, processedAt, code, field }) => [orderId, age(processedAt), code, oneLine(field)]),
    ['ORDER', 'PROCESSED', 'CODE', 'FIELD'],
  );
