import { Hono } from 'hono';
import type { Console } from '../console';
import { ConsoleFault } from '../faults';

/** `/api/tasks`: what the console does at the moment, and has done. */
export const taskRoutes = ({ tasks, write }: Console) =>
  new Hono()
    .get('/', (c) => c.json(tasks.list()))
    // Its action is recorded by the task itself.
    .post('/:id/stop', (c) => {
      if (!write) throw new ConsoleFault('read-only', 'This console is read-only.');
      if (!tasks.stop(c.req.param('id'))) throw new ConsoleFault('absent', 'There is no such task.');
      return c.json(null);
    });
