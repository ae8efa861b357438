import type { Command } from 'commander';
import * as z from 'zod';
import type { Order } from '../../shared/orders/order';
import { ServiceFault } from '../services/fault';
import { createOrderService, type FailedOrder, type OrderDetails } from '../services/orders';
import { exitCodes } from './exit-codes';
import { countSchema, listableStatusSchema, orderIdSchema, sinceSchema } from './input';
import { addReplayCommand } from './replay';
import { oneLine, plural, renderTable, type Surroundings, type Terminal } from './terminal';
import { noteUnreadable } from './unreadable-orders';
import type { Attach } from './verb';

const maxListed = 1_000;

/** Adds `orders get`, `orders list` and `orders replay`. */
export const addOrderCommands = (program: Command, attach: Attach, now: Surroundings['now']): void => {
  const orders = program.command('orders').description('look up orders, list failed ones, replay them');

  const get = orders
    .command('get')
    .description('show an order: status, round, times, error, attempts, location of its raw payload')
    .argument('<id>', "the order's id at Qualia")
    .option('--show-answer', "also show the internal API's refusal, which may contain personal data");
  attach(get, {
    schema: z.object({ id: orderIdSchema, showAnswer: z.boolean().default(false) }),
    run: async ({ id, showAnswer }, { stage, stageLabel, terminal }) => {
      const details = await createOrderService(stage).get(id, { withAnswer: showAnswer });
      if (details === undefined) throw new ServiceFault('absent', `There is no order ${id} in ${stageLabel}.`);
      const { order, payload, answerKept } = details;
      const document = {
        stage: stage.name,
        order,
        payload: payload ? { ...payload, uri: uriOf(payload) } : null,
        answer_kept: answerKept,
      };
      terminal.result(document, () => renderOrder(details, terminal));
      return exitCodes.done;
    },
  });

  const list = orders
    .command('list')
    .description('list failed orders, newest first')
    .option('--status <status>', 'FAILED, the only status that can be listed', 'FAILED')
    .option('--since <when>', 'failed since: 30m, 24h, 7d, or an ISO 8601 time', '24h')
    .option('--limit <count>', `maximum number of orders, up to ${maxListed}`, '50');
  attach(list, {
    schema: z.object({ status: listableStatusSchema, since: sinceSchema(now()), limit: countSchema(maxListed) }),
    run: async ({ since, limit }, { stage, stageLabel, terminal }) => {
      const { orders: found, unreadableIds } = await createOrderService(stage).listFailed(since);
      const shown = found.slice(0, limit);
      const document = {
        stage: stage.name,
        since: since.toISOString(),
        total: found.length,
        orders: shown,
        unreadable: unreadableIds,
      };
      noteUnreadable(unreadableIds, terminal);
      if (found.length > shown.length)
        terminal.note(`Showing the newest ${shown.length} of ${found.length}; --limit shows more.`);
      terminal.result(document, () =>
        found.length === 0
          ? `No order in ${stageLabel} has failed since ${since.toISOString()}.`
          : renderFailures(shown, terminal),
      );
      return exitCodes.done;
    },
  });

  addReplayCommand(orders, attach, now);
};

const uriOf = ({ bucket, key }: { readonly bucket: string; readonly key: string }): string => `s3://${bucket}/${key}`;

const renderOrder = ({ order, payload, answerKept }: OrderDetails, { time, colors }: Terminal): string => {
  const rows: (readonly [string, string | number | undefined])[] = [
    ['order', order.order_id],
    ['status', order.status === 'FAILED' ? colors.red(order.status) : colors.bold(order.status)],
    ['round', order.round],
    ['request', order.request_id],
    ['notification', oneLine(order.notification_type)],
    ['notified', time(order.notified_at)],
    ['downloaded', 'downloaded_at' in order && order.downloaded_at ? time(order.downloaded_at) : undefined],
    ['processed', order.status === 'PROCESSED' ? time(order.processed_at) : undefined],
    ['attempts', order.attempts],
    ...(order.status === 'FAILED' ? failureRows(order, answerKept, time) : []),
    ['payload', payload && uriOf(payload)],
    ['payload size', 'payload_size' in order && order.payload_size ? plural(order.payload_size, 'byte') : undefined],
    ['checksum', 'checksum' in order ? order.checksum : undefined],
    ['taken before', order.processed_checksum],
    ['warnings', order.status === 'PROCESSED' ? renderWarnings(order) : undefined],
  ];
  return renderTable(rows.flatMap(([name, value]) => (value === undefined ? [] : [[colors.dim(name), String(value)]])));
};

const failureRows = ({ failed_at, error }: FailedOrder, answerKept: boolean, time: Terminal['time']) => {
  const answer = error.answer === undefined ? 'stored; --show-answer prints it' : oneLine(error.answer);
  return [
    ['failed', time(failed_at)],
    ['worker', error.stage],
    ['error code', error.code],
    ['error', oneLine(error.message)],
    ['answer', answerKept ? answer : undefined],
  ] as const;
};

const renderWarnings = (order: Extract<Order, { readonly status: 'PROCESSED' }>): string | undefined =>
  order.warnings?.map(({ code, field }) => `${code} (${oneLine(field)})`).join(', ');

const renderFailures = (orders: readonly FailedOrder[], { time }: Terminal): string =>
  renderTable(
    orders.map(({ order_id, failed_at, error }) => [
      order_id,
      time(failed_at),
      error.stage,
      error.code,
      oneLine(error.message),
    ]),
    ['ORDER', 'FAILED', 'WORKER', 'CODE', 'ERROR'],
  );
