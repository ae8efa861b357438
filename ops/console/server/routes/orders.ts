import { Hono } from 'hono';
import * as z from 'zod';
import { orderIdSchema, roundSchema } from '../../../../shared/orders/order';
import { inSequence } from '../../../commands/event-view';
import { sinceSchema } from '../../../commands/input';
import { toOrderDocument } from '../../../commands/order-view';
import { maxReplayRate } from '../../../commands/replay';
import { toTraceDocument } from '../../../commands/trace-view';
import { plural } from '../../../format';
import { ServiceFault } from '../../../services/fault';
import { createLogService, withSubjectId } from '../../../services/logs';
import { createOrderLog } from '../../../services/order-log/order-log';
import { createOrderService } from '../../../services/orders';
import { createPayloadViews } from '../../../services/payload-view/read';
import { createReplayStarter } from '../../../services/replay/sources';
import { changeSchema, changing } from '../change';
import type { Console } from '../console';
import { createReplay } from '../replay';
import { valid } from '../valid';
import { createOrderLists, orderTabs } from './order-lists';

const maxSelected = 10_000;
/** Maximum number of lines of the log of one order. */
const maxLogLines = 1_000;
const idSchema = z.object({ id: orderIdSchema });
const replaySchema = changeSchema.extend({
  /** Qualia's current state, or the stored bytes of the newest round. */
  source: z.enum(['qualia', 'raw']).default('qualia'),
  /** Posts even if nothing changed. */
  force: z.boolean().default(false),
});
const bulkSchema = replaySchema.extend({
  ids: z
    .array(orderIdSchema)
    .min(1)
    .max(maxSelected)
    .transform((ids) => [...new Set(ids)]),
  rate: z.int().min(1).max(maxReplayRate).default(10),
});
const partSchema = z.enum(['payload', 'body']);
const revealSchema = changeSchema.extend({ round: roundSchema, part: partSchema, path: z.string().max(500) });

/** `/api/orders`: orders, and one order, as in `pipeline orders`. */
export const orderRoutes = (console: Console) => {
  const { stage, now } = console;
  const lists = createOrderLists(stage, now);
  const orders = createOrderService(stage);
  const payloads = createPayloadViews(stage);
  const sinceQuery = sinceSchema(now).prefault('7d');
  const listQuery = z.object({
    tab: z.enum(orderTabs).default('failed'),
    q: z.string().default(''),
    since: sinceQuery,
  });
  return new Hono()
    .get('/', valid('query', listQuery), async (c) => {
      const { tab, q, since } = c.req.valid('query');
      const found = q.trim() === '' ? await lists.list(tab, since) : await lists.find(q.trim(), since);
      return c.json({ stage: stage.name, since: since.toISOString(), orders: found });
    })
    .post('/replay', changing(console, 'orders replay', { isBulk: true }), valid('json', bulkSchema), async (c) => {
      const { ids, rate, source, force, ...input } = c.req.valid('json');
      const title = `Replay of ${plural(ids.length, 'order')}`;
      const replay = { orderIds: ids, ratePerSecond: rate, source: { kind: source }, force };
      return c.json(
        await c.var.task({
          ...input,
          subject: { ids },
          title,
          total: ids.length,
          work: createReplay(console, replay),
        }),
      );
    })
    .get('/:id', valid('param', idSchema), valid('query', z.object({ since: sinceQuery })), async (c) => {
      const { id } = c.req.valid('param');
      const [details, trace] = await Promise.all([
        orders.get(id),
        createOrderLog(stage, now).trace(id, c.req.valid('query').since),
      ]);
      return c.json({ item: details ? toOrderDocument(details, trace.tries) : null, trace: toTraceDocument(trace) });
    })
    .get('/:id/logs', valid('param', idSchema), valid('query', z.object({ since: sinceQuery })), async (c) => {
      const { id } = c.req.valid('param');
      const logs = createLogService(stage);
      const saved = (await logs.listSaved()).find(({ subject, isMain }) => isMain && subject === 'order');
      if (saved === undefined) throw new ServiceFault('absent', 'The stage has no saved query about an order.');
      const period = { since: c.req.valid('query').since, until: new Date(now()) };
      const rows = await logs.search(withSubjectId(saved, id), { ...period, limit: maxLogLines });
      return c.json({ rows: inSequence(rows).map((row) => [...row]) });
    })
    .post(
      '/:id/replay',
      changing(console, 'orders replay'),
      valid('param', idSchema),
      valid('json', replaySchema),
      async (c) => {
        const { id } = c.req.valid('param');
        const { source, force, ...input } = c.req.valid('json');
        const start = createReplayStarter(stage, { source: { kind: source }, force });
        const started = await c.var.change({
          ...input,
          subject: { ids: [id] },
          work: async () => {
            const result = await start(id);
            if ('error' in result) throw new ServiceFault('failed', result.error);
            return result;
          },
        });
        return c.json({ round: started.round, request_id: started.requestId });
      },
    )
    .get('/:id/payload', valid('param', idSchema), valid('query', z.object({ round: roundSchema })), async (c) => {
      const { s3Key, sizeBytes, ...view } = await payloads.read(c.req.valid('param').id, c.req.valid('query').round);
      return c.json({ s3_key: s3Key, size_bytes: sizeBytes, ...view });
    })
    .get(
      '/:id/changes',
      valid('param', idSchema),
      valid('query', z.object({ from: roundSchema, to: roundSchema })),
      async (c) => {
        const { from, to } = c.req.valid('query');
        return c.json({ changes: await payloads.changes(c.req.valid('param').id, from, to) });
      },
    )
    .post(
      '/:id/reveal',
      changing(console, 'orders reveal', { isReading: true }),
      valid('param', idSchema),
      valid('json', revealSchema),
      async (c) => {
        const { id } = c.req.valid('param');
        const { round, part, path, ...input } = c.req.valid('json');
        const subject = { ids: [id, `${part}:${path}`], count: 1 };
        const value = await c.var.change({ ...input, subject, work: () => payloads.reveal(id, round, part, path) });
        return c.json({ value });
      },
    );
};
