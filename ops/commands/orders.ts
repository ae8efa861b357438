import type { Command } from 'commander';
import * as z from 'zod';
import { ServiceFault, toServiceFault } from '../services/fault';
import { createOrderLog } from '../services/order-log/order-log';
import { isOpenOrder, type OpenOrder, type Tries } from '../services/order-log/tries';
import { createOrderService } from '../services/orders';
import { exitCodes } from './exit-codes';
import { orderIdSchema, sinceSchema } from './input';
import { renderOrder, toOrderDocument } from './order-view';
import { addOrderListCommand } from './orders-list';
import { addReplayCommand } from './replay';
import { oneLine, type Surroundings } from './terminal';
import { renderTrace, toTraceDocument } from './trace-view';
import type { Attach, Session } from './verb';

/** Adds `orders get`, `orders list`, `orders trace` and `orders replay`. */
export const addOrderCommands = (program: Command, attach: Attach, now: Surroundings['now']): void => {
  const orders = program.command('orders').description('look up orders, follow their history, list and replay them');

  const get = orders
    .command('get')
    .description('show an order: status, round, times, attempts, last error, next attempt, location of its raw payload')
    .argument('<id>', "the order's id at Qualia")
    .option('--show-answer', "also show the internal API's refusal, which may contain personal data");
  attach(get, {
    schema: z.object({ id: orderIdSchema, showAnswer: z.boolean().default(false) }),
    run: async ({ id, showAnswer }, session) => {
      const { stage, stageLabel, terminal } = session;
      const details = await createOrderService(stage).get(id, { withAnswer: showAnswer });
      if (details === undefined) throw new ServiceFault('absent', `There is no order ${id} in ${stageLabel}.`);
      const tries = isOpenOrder(details.order) ? await readTries(details.order, session) : undefined;
      const document = { stage: stage.name, ...toOrderDocument(details, tries) };
      terminal.result(document, () => renderOrder(details, tries, terminal));
      return exitCodes.done;
    },
  });

  addOrderListCommand(orders, attach, now);

  const trace = orders
    .command('trace')
    .description('show the history of an order: every round, attempt and wait')
    .argument('<id>', "the order's id at Qualia")
    .option('--since <when>', 'start of the search in the logs: 24h, 30d, or an ISO 8601 time', '30d');
  attach(trace, {
    schema: z.object({ id: orderIdSchema, since: sinceSchema(now) }),
    run: async ({ id, since }, { stage, terminal, now }) => {
      const history = await createOrderLog(stage, now).trace(id, since);
      terminal.result({ stage: stage.name, ...toTraceDocument(history) }, () => renderTrace(history, terminal));
      return exitCodes.done;
    },
  });

  addReplayCommand(orders, attach, now);
};

/** Reads what was tried for an open order. Without the logs, the order is shown all the same. */
const readTries = async (order: OpenOrder, { stage, terminal, now }: Session): Promise<Tries | undefined> => {
  try {
    return await createOrderLog(stage, now).triesOf(order);
  } catch (thrown) {
    const fault = toServiceFault(thrown);
    if (fault === undefined) throw thrown;
    terminal.note(`The attempts are not shown, because the logs cannot be read: ${oneLine(fault.message)}`);
    return undefined;
  }
};
