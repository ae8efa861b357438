import { Hono } from 'hono';
import * as z from 'zod';
import { sinceSchema } from '../../../commands/input';
import { listActions } from '../../../services/actions';
import type { Console } from '../console';
import { valid } from '../valid';

/** `/api/actions`: the document of `pipeline actions --json`, the newest first. */
export const actionRoutes = ({ stage, now }: Console) => {
  const querySchema = z.object({
    since: sinceSchema(now).prefault('7d'),
    verb: z.string().optional(),
    by: z.string().optional(),
  });
  return new Hono().get('/', valid('query', querySchema), async (c) => {
    const filter = c.req.valid('query');
    const actions = (await listActions(stage, filter)).reverse();
    return c.json({ stage: stage.name, since: filter.since.toISOString(), actions });
  });
};
