import { Hono } from 'hono';
import * as z from 'zod';
import { untilSchema } from '../../../commands/input';
import { longestDays } from '../../../commands/pause';
import { pausableParts } from '../../../services/pause/parts';
import { pausePart, planPause, planResume, resumePart } from '../../../services/pause/pause';
import { changeSchema, changing } from '../change';
import type { Console } from '../console';
import { ConsoleFault } from '../faults';
import { valid } from '../valid';

const partSchema = z.object({ part: z.enum(pausableParts) });

/** `/api/pauses/:part`: pauses and resumes a part, as `pipeline pause` and `pipeline resume`. */
export const pauseRoutes = (console: Console) => {
  const { stage, now } = console;
  const pauseSchema = changeSchema.extend({ until: untilSchema(now, longestDays).optional() });
  return new Hono()
    .post(
      '/:part/pause',
      changing(console, 'pause'),
      valid('param', partSchema),
      valid('json', pauseSchema),
      async (c) => {
        const { part } = c.req.valid('param');
        const { until, ...input } = c.req.valid('json');
        const plan = await planPause(stage, part, now());
        if (plan === undefined) throw new ConsoleFault('failed', `Nothing to pause: no schedule starts the ${part}.`);
        const reason = input.reason || 'local';
        const pause = await c.var.change({
          ...input,
          subject: { ids: [part] },
          work: (by) => pausePart(stage, part, { by, reason, until }, plan, now()),
        });
        return c.json({ part, since: pause.since, until: pause.until ?? null });
      },
    )
    .post(
      '/:part/resume',
      changing(console, 'resume'),
      valid('param', partSchema),
      valid('json', changeSchema),
      async (c) => {
        const { part } = c.req.valid('param');
        const plan = await planResume(stage, part, now());
        if (plan === undefined) throw new ConsoleFault('failed', `${part} is not paused.`);
        const change = { ...c.req.valid('json'), subject: { ids: [part] } };
        const { alarmsAt } = await c.var.change({ ...change, work: () => resumePart(stage, part, plan, now()) });
        return c.json({ part, alarms_notify_at: alarmsAt?.toISOString() ?? null });
      },
    );
};
