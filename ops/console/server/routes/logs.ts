import { MalformedQueryException } from '@aws-sdk/client-cloudwatch-logs';
import { Hono } from 'hono';
import * as z from 'zod';
import { sinceSchema } from '../../../commands/input';
import { estimateLogCost } from '../../../services/log-cost';
import { logVocabulary } from '../../../services/log-vocabulary';
import { createLogService, type QueryProgress } from '../../../services/logs';
import type { Console } from '../console';
import { ConsoleFault } from '../faults';
import { valid } from '../valid';

const maxQueryLength = 10_000;
/** Maximum number of rows of a search. */
const maxRows = 1_000;

/** `/api/logs`: saved queries, and searches of all logs, as in `pipeline logs`. */
export const logRoutes = ({ stage, now }: Console) => {
  const service = createLogService(stage);
  const since = sinceSchema(now).prefault('3h');
  const searchSchema = z.object({
    query: z.string().trim().min(1, 'is empty').max(maxQueryLength, `has more than ${maxQueryLength} characters`),
    since,
  });

  return new Hono()
    .get('/saved', async (c) => {
      const saved = await service.listSaved();
      return c.json({
        queries: saved.map(({ name, queryString, subject }) => ({
          name,
          query: queryString,
          subject: subject ?? null,
        })),
        vocabulary: logVocabulary,
      });
    })
    .get('/cost', valid('query', z.object({ since })), async (c) =>
      c.json(await estimateLogCost(stage, { since: c.req.valid('query').since, until: new Date(now()) })),
    )
    .get('/search', valid('query', searchSchema), async (c) => {
      const input = c.req.valid('query');
      const period = { since: input.since, until: new Date(now()) };
      // A page that is left stops its query.
      const { signal } = c.req.raw;
      let last: QueryProgress | undefined;
      try {
        for await (const progress of service.run(input.query, { ...period, limit: maxRows, signal })) last = progress;
      } catch (error) {
        if (error instanceof MalformedQueryException) throw new ConsoleFault('usage', error.message, [error.message]);
        throw error;
      }
      const { rows = [], recordsScanned = 0, recordsMatched = 0, bytesScanned = 0 } = last ?? {};
      return c.json({
        since: period.since.toISOString(),
        until: period.until.toISOString(),
        rows: rows.map((row) => [...row]),
        is_cut: rows.length === maxRows,
        lines_read: recordsScanned,
        lines_matched: recordsMatched,
        bytes_read: bytesScanned,
      });
    });
};
