import { Hono } from 'hono';
import * as z from 'zod';
import schema from '../../../../docs/api/run-input.schema.json';
import { InvalidInput } from '../../../../shared/runs/input';
import { runIdSchema } from '../../../../shared/runs/run-id';
import { newRunId } from '../../../commands/run-input';
import { openRunFile } from '../../../services/run-files';
import { createRunPictures } from '../../../services/run-graph/read';
import { createRunParts } from '../../../services/run-graph/read-parts';
import { durationSecondsOf, totalsOf, usualSecondsOf } from '../../../services/run-history';
import { createSyncService, type ListedRun } from '../../../services/sync-runs';
import { changeSchema, changing } from '../change';
import type { Console } from '../console';
import { ConsoleFault } from '../faults';
import { valid } from '../valid';
import { createRunDocuments } from './sync-run-document';

const idSchema = z.object({ id: runIdSchema });
const maxListed = 500;
const querySchema = z.object({ limit: z.coerce.number().int().min(1).max(maxListed).default(30) });
/** Runs among which the usual duration is looked for. */
const maxCompared = 1_000;
const startSchema = changeSchema.extend({ input: z.record(z.string(), z.unknown()) });
const fileSchema = changeSchema.extend({ path: z.string().max(500) });

/** EventBridge names the executions that it starts after two UUIDs. */
const scheduledName = /^[0-9a-f-]{36}_[0-9a-f-]{36}$/;
const triggerOf = ({ runId }: ListedRun): 'schedule' | 'operator' =>
  scheduledName.test(runId) ? 'schedule' : 'operator';

/** `/api/sync-runs`: the runs, and one run, as in `pipeline sync`. */
export const syncRunRoutes = (console: Console) => {
  const { stage, now } = console;
  const service = createSyncService(stage);
  const documents = createRunDocuments(service, createRunPictures(stage), createRunParts(stage), now);
  const totals = new Map<string, ReturnType<typeof totalsOf>>();

  /** What a run has read and sent. Its reports do not change after its end. */
  const readTotals = async ({ runId, finishedAt }: ListedRun) => {
    if (finishedAt === undefined) return undefined;
    const key = `${runId} ${finishedAt}`;
    const known = totals.get(key);
    if (known !== undefined) return known;
    const outcomes = await service.outcomes(runId);
    const read = outcomes && totalsOf(outcomes);
    if (read) totals.set(key, read);
    return read;
  };

  const checked = (input: Readonly<Record<string, unknown>>): string => {
    try {
      return service.checkInput(input, newRunId(now())).run_id;
    } catch (thrown) {
      if (!(thrown instanceof InvalidInput)) throw thrown;
      throw new ConsoleFault('usage', `${thrown.faults.join('; ')}.`, thrown.faults);
    }
  };

  return new Hono()
    .get('/', valid('query', querySchema), async (c) => {
      const { total, runs: all } = await service.list(maxCompared);
      const runs = await Promise.all(
        all.slice(0, c.req.valid('query').limit).map(async (run) => ({
          run_id: run.runId,
          status: run.status,
          started_at: run.startedAt,
          finished_at: run.finishedAt ?? null,
          jobs: run.jobs,
          is_dry_run: run.isDryRun,
          message: run.message ?? null,
          trigger: triggerOf(run),
          seconds: durationSecondsOf(run) ?? null,
          usual_seconds: usualSecondsOf(run, all) ?? null,
          totals: (await readTotals(run)) ?? null,
        })),
      );
      return c.json({ stage: stage.name, total, runs });
    })
    .get('/input-schema', (c) => c.json({ schema, portals: stage.portals.names }))
    .post('/', changing(console, 'sync start'), valid('json', startSchema), async (c) => {
      const { input, ...change } = c.req.valid('json');
      const runId = checked(input);
      const subject = { ids: [runId] };
      await c.var.change({ ...change, subject, work: () => service.start(runId, { ...input, run_id: runId }) });
      return c.json({ run_id: runId });
    })
    .get('/:id', valid('param', idSchema), async (c) => c.json(await documents.read(c.req.valid('param').id)))
    .post(
      '/:id/stop',
      changing(console, 'sync stop'),
      valid('param', idSchema),
      valid('json', changeSchema),
      async (c) => {
        const { id } = c.req.valid('param');
        const view = await service.get(id);
        const subject = { ids: [id] };
        await c.var.change({ ...c.req.valid('json'), subject, work: () => service.stop(view) });
        return c.json({ run_id: id });
      },
    )
    .post(
      '/:id/redrive',
      changing(console, 'sync redrive'),
      valid('param', idSchema),
      valid('json', changeSchema),
      async (c) => {
        const { id } = c.req.valid('param');
        const view = await service.get(id);
        const subject = { ids: [id] };
        await c.var.change({ ...c.req.valid('json'), subject, work: () => service.redrive(view) });
        return c.json({ run_id: id });
      },
    )
    .post(
      '/:id/resend',
      changing(console, 'sync start'),
      valid('param', idSchema),
      valid('json', changeSchema),
      async (c) => {
        const view = await service.get(c.req.valid('param').id);
        const runId = newRunId(now());
        const subject = { ids: [runId] };
        await c.var.change({ ...c.req.valid('json'), subject, work: () => service.resendFailed(view, runId) });
        return c.json({ run_id: runId });
      },
    )
    .post(
      '/:id/files',
      changing(console, 'sync files', { isReading: true }),
      valid('param', idSchema),
      valid('json', fileSchema),
      async (c) => {
        const { id } = c.req.valid('param');
        const { path, ...change } = c.req.valid('json');
        const view = await service.get(id);
        const subject = { ids: [id, path] };
        const { content, type } = await c.var.change({
          ...change,
          subject,
          work: () => openRunFile(stage, view, path),
        });
        return c.body(content, 200, { 'content-type': type });
      },
    );
};
