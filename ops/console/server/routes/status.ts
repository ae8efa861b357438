import { Hono } from 'hono';
import { toStatusDocument } from '../../../commands/status-view';
import { drainSeconds, findingsOf } from '../../../services/status/findings';
import { known } from '../../../services/status/reading';
import { readStatus } from '../../../services/status/status';
import type { Console } from '../console';

/** `/api/status`: the document of `pipeline status --json`, with the last hour in bins, and when each queue is empty. */
export const statusRoutes = ({ stage, now }: Console) =>
  new Hono().get('/', async (c) => {
    const status = await readStatus(stage, now);
    const activity = known(status.activity);
    const drains = (known(status.queues) ?? []).map((queue) => ({
      queue: queue.worker,
      /** Null if it does not drain, or its rate is not known. */
      seconds: (activity && drainSeconds(queue, activity.perMinute[queue.worker])) ?? null,
    }));
    return c.json({ ...toStatusDocument(status, findingsOf(status)), bins: activity?.bins ?? [], drains });
  });
