import { Hono } from 'hono';
import * as z from 'zod';
import { listOutages, setOutage, simulatedApis } from '../../../services/simulators';
import { changeSchema, changing } from '../change';
import type { Console } from '../console';
import { valid } from '../valid';

const apiSchema = z.object({ api: z.enum(simulatedApis) });
const outageSchema = changeSchema.extend({ is_down: z.boolean() });

/** `/api/rehearsals`: outages of the simulated APIs, as in `pipeline rehearse`. */
export const rehearsalRoutes = (console: Console) => {
  const { stage } = console;
  return new Hono()
    .get('/', async (c) => c.json(await listOutages(stage)))
    .post('/:api', changing(console, 'rehearse'), valid('param', apiSchema), valid('json', outageSchema), async (c) => {
      const { api } = c.req.valid('param');
      const { is_down, ...input } = c.req.valid('json');
      await c.var.change({ ...input, subject: { ids: [api] }, work: () => setOutage(stage, api, is_down) });
      return c.json({ api, is_down });
    });
};
