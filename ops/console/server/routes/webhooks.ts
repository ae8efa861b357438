import { Hono } from 'hono';
import * as z from 'zod';
import { webhookSamples } from '../../../../samples/webhook-samples';
import { outlineOf } from '../../../commands/outline';
import { toRefusedDocument } from '../../../commands/refused-bodies';
import { plural } from '../../../format';
import { createLogService } from '../../../services/logs';
import { createRefusedBodyService, refusedIdSchema } from '../../../services/refused-bodies';
import { sendSampleCall } from '../../../services/sample-call';
import { readWebhookActivity, type WebhookPeriod, webhookPeriods } from '../../../services/webhook-activity';
import { changeSchema, changing } from '../change';
import type { Console } from '../console';
import { ConsoleFault } from '../faults';
import type { TaskControl, TaskEnd } from '../tasks';
import { valid } from '../valid';

const periods = Object.keys(webhookPeriods) as WebhookPeriod[];
const activitySchema = z.object({ period: z.enum(periods).default('24h') });
const acceptSchema = changeSchema.extend({ ids: z.array(refusedIdSchema).min(1) });
const bodySchema = z.object({ id: refusedIdSchema });
const sampleSchema = changeSchema.extend({ sample: z.string() });
/** The webhook keeps a body for 30 days. */
const keptMs = 30 * 24 * 3_600_000;
/** Maximum number of kept bodies that are shown. */
const maxListed = 100;

/** `/api/webhooks`: the calls of the webhook, the bodies that it refused and kept, and samples. */
export const webhookRoutes = (console: Console) => {
  const { stage, now } = console;
  const refused = createRefusedBodyService(stage, now);
  const acceptanceOf = (ids: readonly string[]) => ({
    subject: { ids },
    title: `Accept ${plural(ids.length, 'refused webhook')} again`,
    total: ids.length,
    work: async ({ signal, report }: TaskControl): Promise<TaskEnd> => {
      const results: boolean[] = [];
      for await (const { accepted } of refused.accept(ids, signal)) report(results.push(accepted));
      const accepted = results.filter(Boolean).length;
      const notes = [`${accepted} of ${ids.length} accepted.`];
      if (signal.aborted) return { state: 'interrupted', notes };
      return { state: accepted === ids.length ? 'done' : 'failed', notes };
    },
  });
  return new Hono()
    .get('/activity', valid('query', activitySchema), async (c) => {
      const { period } = c.req.valid('query');
      const { bins, refusals } = await readWebhookActivity(createLogService(stage), period, now());
      return c.json({
        bins,
        refusals: refusals.map(({ reason, sourceIp, calls, last }) => ({
          reason,
          source_ip: sourceIp,
          calls,
          last: last.toISOString(),
        })),
      });
    })
    .get('/refused', async (c) => {
      const ids = await refused.list(new Date(now() - keptMs));
      const bodies = await Promise.all(ids.slice(0, maxListed).map((id) => refused.get(id)));
      return c.json({
        total: ids.length,
        bodies: bodies.map((kept) => ({ ...toRefusedDocument(kept), outline: outlineOf(kept.body) })),
      });
    })
    .post(
      '/refused/accept',
      changing(console, 'webhook refused accept', { isBulk: true }),
      valid('json', acceptSchema),
      async (c) => {
        const { ids, ...input } = c.req.valid('json');
        return c.json(await c.var.task({ ...input, ...acceptanceOf(ids) }));
      },
    )
    .post(
      '/refused/:id/accept',
      changing(console, 'webhook refused accept'),
      valid('param', bodySchema),
      valid('json', changeSchema),
      async (c) => {
        const { id } = c.req.valid('param');
        return c.json(await c.var.task({ ...c.req.valid('json'), ...acceptanceOf([id]) }));
      },
    )
    .get('/samples', (c) =>
      c.json(
        webhookSamples.map(({ name, description, expectedStatus }) => ({
          name,
          description,
          expected_status: expectedStatus,
        })),
      ),
    )
    .post('/samples/send', changing(console, 'webhook send'), valid('json', sampleSchema), async (c) => {
      const { sample: name, ...input } = c.req.valid('json');
      if (stage.name === 'prod' && !stage.local) {
        throw new ConsoleFault('failed', 'Samples are made-up orders: they are not sent to prod.');
      }
      const sample = webhookSamples.find((known) => known.name === name);
      if (sample === undefined) throw new ConsoleFault('usage', 'sample is not known.', ['sample is not known']);
      const orderId = `QO-${now()}`;
      const call = { sample, orderId, createdAt: new Date(now()), signed: false, isKnown: false };
      const { status } = await c.var.change({
        ...input,
        subject: { ids: [sample.orderOf ? orderId : name] },
        work: () => sendSampleCall(stage, call, now),
      });
      return c.json({ status, order_id: sample.orderOf && status === 200 ? orderId : null });
    });
};
