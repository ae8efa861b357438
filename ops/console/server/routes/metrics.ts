import { Hono } from 'hono';
import * as z from 'zod';
import { listAlarms, readAlarmHistory } from '../../../services/alarms';
import { type ChartPeriod, chartPeriods, readCharts } from '../../../services/metrics';
import type { Console } from '../console';
import { valid } from '../valid';

const periods = Object.keys(chartPeriods) as ChartPeriod[];
const chartsSchema = z.object({ period: z.enum(periods).default('24h') });
const alarmSchema = z.object({ name: z.string().regex(/^[\w-]{1,200}$/, 'must be the name of an alarm') });

/** `/api/metrics`: charts of the stage, and its alarms with their history. */
export const metricRoutes = ({ stage, now }: Console) =>
  new Hono()
    .get('/charts', valid('query', chartsSchema), async (c) =>
      c.json(await readCharts(stage, c.req.valid('query').period, now())),
    )
    .get('/alarms', async (c) =>
      c.json(
        (await listAlarms(stage)).map(({ name, state, since, description, reason, isSilent }) => {
          const [impact = '', runbook = ''] = description.split(/ ?Runbook: /);
          return { name, state, since: since?.toISOString() ?? null, impact, runbook, reason, silent: isSilent };
        }),
      ),
    )
    .get('/alarms/:name', valid('param', alarmSchema), async (c) => {
      const changes = await readAlarmHistory(stage, c.req.valid('param').name);
      return c.json(changes.map(({ at, summary }) => ({ at: at.toISOString(), summary })));
    });
