import { Hono } from 'hono';
import * as z from 'zod';
import { messageIdSchema } from '../../../commands/dead-letter-verbs';
import { toDeadLetterDocument } from '../../../commands/dead-letter-view';
import { createDeadLetterMessages, readFirstFailures } from '../../../services/dead-letter-messages';
import { createDeadLetterService, maxMovesPerSecond, type Redrive, workerNames } from '../../../services/dead-letters';
import { createLogService } from '../../../services/logs';
import { changeSchema, changing } from '../change';
import type { Console } from '../console';
import { valid } from '../valid';

const workerSchema = z.object({ worker: z.enum(workerNames) });
const redriveSchema = changeSchema.extend({
  /** Messages per second. Default: SQS decides. */
  rate: z.int().min(1).max(maxMovesPerSecond).optional(),
});

const messageSchema = workerSchema.extend({ id: messageIdSchema });
/** Maximum number of dead letters that are shown. */
const maxListed = 50;

const toDocument = (redrive: Redrive | undefined) =>
  redrive && { status: redrive.status, moved: redrive.moved, to_move: redrive.toMove ?? null };

/** `/api/queues`: the dead-letter queues of the workers, as in `pipeline dlq`. */
export const queueRoutes = (console: Console) => {
  const { stage, now } = console;
  const service = createDeadLetterService(stage);
  const messages = createDeadLetterMessages(stage, now);
  return new Hono()
    .get('/', async (c) =>
      c.json(
        await Promise.all(
          workerNames.map(async (worker) => ({
            worker,
            messages: (await service.inspect(worker)).messages,
            redrive: toDocument(await service.newestRedrive(worker)) ?? null,
          })),
        ),
      ),
    )
    .get('/:worker/messages', valid('param', workerSchema), async (c) => {
      const { worker } = c.req.valid('param');
      const { letters } = await messages.list(worker, maxListed);
      const failures = await readFirstFailures(createLogService(stage), worker, letters, now);
      return c.json(letters.map((letter) => toDeadLetterDocument(letter, failures.get(letter.id))));
    })
    .post(
      '/:worker/messages/:id/redrive',
      changing(console, 'dlq redrive'),
      valid('param', messageSchema),
      valid('json', changeSchema),
      async (c) => {
        const { worker, id } = c.req.valid('param');
        const change = { ...c.req.valid('json'), subject: { ids: [worker, id], count: 1 } };
        await c.var.change({ ...change, work: () => messages.redrive(worker, id) });
        return c.json(null);
      },
    )
    .post(
      '/:worker/messages/:id/drop',
      changing(console, 'dlq drop'),
      valid('param', messageSchema),
      valid('json', changeSchema),
      async (c) => {
        const { worker, id } = c.req.valid('param');
        const change = { ...c.req.valid('json'), subject: { ids: [worker, id], count: 1 } };
        const { bucket, key } = await c.var.change({ ...change, work: () => messages.drop(worker, id) });
        return c.json({ copy: `s3://${bucket}/${key}` });
      },
    )
    .post(
      '/:worker/redrive',
      changing(console, 'dlq redrive', { isBulk: true }),
      valid('param', workerSchema),
      valid('json', redriveSchema),
      async (c) => {
        const { worker } = c.req.valid('param');
        const { rate, ...input } = c.req.valid('json');
        const subject = { ids: [worker], count: (await service.inspect(worker)).messages };
        const redrive = await c.var.change({
          ...input,
          subject,
          // The redrive continues in SQS, where its progress is read.
          work: async () => (await service.redrive(worker, { perSecond: rate }).next()).value,
        });
        return c.json(toDocument(redrive ?? undefined) ?? null);
      },
    )
    .post(
      '/:worker/stop',
      changing(console, 'dlq stop'),
      valid('param', workerSchema),
      valid('json', changeSchema),
      async (c) => {
        const { worker } = c.req.valid('param');
        const change = { ...c.req.valid('json'), subject: { ids: [worker] } };
        const stopped = await c.var.change({ ...change, work: () => service.stop(worker) });
        return c.json(toDocument(stopped) ?? null);
      },
    );
};
