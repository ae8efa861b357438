import { Hono } from 'hono';
import * as z from 'zod';
import { untilSchema } from '../../../commands/input';
import { toIssueDocument } from '../../../commands/issue-view';
import { maxReplayRate } from '../../../commands/replay';
import { plural } from '../../../format';
import { readFailuresByHour } from '../../../services/issue-failures';
import { createIssueService } from '../../../services/issues';
import { createLogService } from '../../../services/logs';
import { changeSchema, changing } from '../change';
import type { Console } from '../console';
import { ConsoleFault } from '../faults';
import { createReplay } from '../replay';
import { valid } from '../valid';

const idSchema = z.object({ id: z.string().regex(/^[0-9a-f]{8}$/, 'must be the id of an issue') });
const replaySchema = changeSchema.extend({ rate: z.int().min(1).max(maxReplayRate).default(10) });

/** `/api/issues`: the documents of `pipeline issues --json`, and its verbs. */
export const issueRoutes = (console: Console) => {
  const { stage, now } = console;
  const service = createIssueService(stage, now);
  const acknowledgeSchema = changeSchema.extend({ until: untilSchema(now) });
  const listSchema = z.object({ all: z.enum(['true', 'false']).default('false') });
  return new Hono()
    .get('/', valid('query', listSchema), async (c) => {
      const { issues, unreadable } = await service.list(c.req.valid('query').all === 'true');
      return c.json({ issues: issues.map((issue) => toIssueDocument(issue, now())), unreadable });
    })
    .get('/failures', async (c) => c.json(Object.fromEntries(await readFailuresByHour(createLogService(stage), now()))))
    .get('/:id', valid('param', idSchema), async (c) => {
      const issue = await service.get(c.req.valid('param').id);
      const orders = await service.ordersOf(issue);
      return c.json({
        issue: toIssueDocument(issue, now()),
        orders: orders.map(({ order_id, failed_at }) => ({ order_id, failed_at })),
      });
    })
    .post(
      '/:id/acknowledge',
      changing(console, 'issues ack'),
      valid('param', idSchema),
      valid('json', acknowledgeSchema),
      async (c) => {
        const { id } = c.req.valid('param');
        const { until, ...input } = c.req.valid('json');
        await service.get(id);
        await c.var.change({ ...input, subject: { ids: [id] }, work: () => service.acknowledge(id, until) });
        return c.json(null);
      },
    )
    .post(
      '/:id/resolve',
      changing(console, 'issues resolve'),
      valid('param', idSchema),
      valid('json', changeSchema),
      async (c) => {
        const { id } = c.req.valid('param');
        await service.get(id);
        const change = { ...c.req.valid('json'), subject: { ids: [id] } };
        await c.var.change({ ...change, work: () => service.resolve(id) });
        return c.json(null);
      },
    )
    .post(
      '/:id/replay',
      changing(console, 'issues replay', { isBulk: true }),
      valid('param', idSchema),
      valid('json', replaySchema),
      async (c) => {
        const { id } = c.req.valid('param');
        const { rate, ...input } = c.req.valid('json');
        const orderIds = (await service.ordersOf(await service.get(id))).map(({ order_id }) => order_id);
        if (orderIds.length === 0) throw new ConsoleFault('failed', 'No order is left in this issue.');
        const replay = { orderIds, ratePerSecond: rate, source: { kind: 'qualia' }, force: false } as const;
        const title = `Replay of ${plural(orderIds.length, 'order')} of issue ${id}`;
        return c.json(
          await c.var.task({
            ...input,
            subject: { ids: orderIds },
            title,
            total: orderIds.length,
            work: createReplay(console, replay),
          }),
        );
      },
    );
};
