import { Hono } from 'hono';
import * as z from 'zod';
import { type ChangeInput, changing } from '../../../ops/console/server/change';
import type { Console } from '../../../ops/console/server/console';
import { respondWithFault } from '../../../ops/console/server/faults';
import { createTasks, type TaskControl, type TaskEnd } from '../../../ops/console/server/tasks';
import { ServiceFault } from '../../../ops/services/fault';
import { connectToStage, type StageConnection } from '../../../ops/services/stage-connection';
import { nowMs, startStage, type TestStage } from '../ops/operators';

let stage: TestStage;
let connection: StageConnection;
beforeAll(async () => {
  stage = await startStage();
  connection = await connectToStage({ stage: 'dev', localStateDirectory: stage.localStateDirectory });
});
afterAll(async () => {
  connection.close();
  await stage.stop();
});

interface Case {
  readonly input?: Partial<ChangeInput>;
  readonly console?: Partial<Console>;
  readonly work?: () => Promise<string>;
}

const tasks = createTasks(() => nowMs);

/** Calls a route that changes things in bulk. @returns the status code and the kind of the error */
const change = async ({ input, console, work = async () => 'changed' }: Case) => {
  const session = {
    stage: connection,
    stageLabel: 'dev',
    stageCommand: 'pipeline',
    now: () => nowMs,
    write: true,
    tasks,
  };
  const app = new Hono().post('/', changing({ ...session, ...console }, 'orders replay', { isBulk: true }), async (c) =>
    c.json(await c.var.change({ reason: '', ...input, subject: { ids: ['QO-1'] }, work })),
  );
  app.onError(respondWithFault);
  const response = await app.request('/', { method: 'POST' });
  return { status: response.status, body: await response.json() };
};

const recorded = async () => JSON.parse((await stage.operate(['actions', '--json'])).stdout).actions;

test('a change is recorded as that of a command', async () => {
  expect(await change({ input: { reason: 'outage' } })).toEqual({ status: 200, body: 'changed' });
  expect(await recorded()).toContainEqual(
    expect.objectContaining({ verb: 'orders replay', ids: ['QO-1'], reason: 'outage', outcome: 'done' }),
  );
});

test('a change that fails is recorded with its error', async () => {
  const work = () => Promise.reject(new ServiceFault('failed', 'broken'));
  await expect(change({ input: { reason: 'fails' }, work })).resolves.toMatchObject({ status: 500 });
  expect(await recorded()).toContainEqual(expect.objectContaining({ reason: 'fails', outcome: 'failed: broken' }));
});

const onAws = (name: 'dev' | 'prod') => ({ stage: { ...connection, name, local: false } });

test.each<[string, Case, number, string]>([
  ['a console that is read-only', { console: { write: false } }, 403, 'read-only'],
  ['a change on AWS without a reason', { console: onAws('dev') }, 400, 'usage'],
  ['a bulk action on prod without its name', { console: onAws('prod'), input: { reason: 'outage' } }, 400, 'usage'],
])('refuses %s', async (_, given, status, kind) => {
  const work = jest.fn();
  expect(await change({ ...given, work })).toMatchObject({ status, body: { error: { kind } } });
  expect(work).not.toHaveBeenCalled();
});

test('does a bulk action on prod after its name was typed', async () => {
  const input = { reason: 'outage', confirmed_stage: 'prod' };
  expect(await change({ console: onAws('prod'), input })).toMatchObject({ status: 200 });
});

describe('a task', () => {
  const startTask = async (work: (control: TaskControl) => Promise<TaskEnd>) => {
    const session = { stage: connection, stageLabel: 'dev', stageCommand: 'pipeline', now: () => nowMs, write: true };
    const app = new Hono().post('/', changing({ ...session, tasks }, 'orders replay'), async (c) =>
      c.json(
        await c.var.task({ reason: 'outage', subject: { ids: ['QO-7'] }, title: 'Replay of 1 order', total: 1, work }),
      ),
    );
    return z
      .object({ id: z.string(), state: z.string() })
      .parse(await (await app.request('/', { method: 'POST' })).json());
  };
  const taskOf = (id: string) => tasks.list().find((task) => task.id === id);

  test('outlives its request, reports, and is recorded when it is stopped', async () => {
    const { id, state } = await startTask(async ({ signal, report }) => {
      report(1);
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      return { state: 'interrupted', notes: ['1 order was started.'] };
    });
    expect(state).toBe('running');
    expect(taskOf(id)).toMatchObject({ state: 'running', done: 1, total: 1, ended_at: null });
    expect(tasks.stop(id)).toBe(true);
    while (taskOf(id)?.state === 'running') await new Promise(setImmediate);
    expect(taskOf(id)).toMatchObject({ state: 'interrupted', notes: ['1 order was started.'] });
    expect(await recorded()).toContainEqual(expect.objectContaining({ ids: ['QO-7'], outcome: 'interrupted' }));
  });

  test('that fails shows why', async () => {
    const { id } = await startTask(() => Promise.reject(new ServiceFault('unreachable', 'AWS cannot be reached.')));
    while (taskOf(id)?.state === 'running') await new Promise(setImmediate);
    expect(taskOf(id)).toMatchObject({ state: 'failed', notes: ['AWS cannot be reached.'] });
  });
});
