import type { Hono } from 'hono';
import type { Console } from '../../../ops/console/server/console';
import { respondWithFault } from '../../../ops/console/server/faults';
import { createTasks } from '../../../ops/console/server/tasks';
import { connectToStage } from '../../../ops/services/stage-connection';
import { nowMs, type TestStage } from '../ops/operators';

/** The routes of a subject, without the console's sign-in. */
export const serveRoutes = async (
  { localStateDirectory }: TestStage,
  routesOf: (console: Console) => Pick<Hono, 'request' | 'onError'>,
  { write = true, now = () => nowMs }: Partial<Pick<Console, 'write' | 'now'>> = {},
) => {
  const stage = await connectToStage({ stage: 'dev', localStateDirectory });
  const labels = { stageLabel: 'dev', stageCommand: 'pipeline' };
  const tasks = createTasks(now);
  const app = routesOf({ stage, ...labels, now, write, tasks });
  app.onError(respondWithFault);
  const call = async (path: string, init?: RequestInit) => {
    const response = await app.request(path, init);
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.startsWith('application/json');
    return { status: response.status, body: isJson ? JSON.parse(text) : text };
  };
  return {
    get: (path: string) => call(path),
    post: (path: string, body: object = {}) =>
      call(path, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    tasks,
    close: stage.close,
  };
};
