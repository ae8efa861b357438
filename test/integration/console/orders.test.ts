import { setTimeout as sleep } from 'node:timers/promises';
import { orderRoutes } from '../../../ops/console/server/routes/orders';
import { nowMs, startStage, type TestStage } from '../ops/operators';
import { startWorkedStage, type WorkedStage } from '../ops/worked-stage';
import { serveRoutes } from './routes';

describe('the lists', () => {
  let stage: TestStage;
  let routes: Awaited<ReturnType<typeof serveRoutes>>;
  beforeEach(async () => {
    stage = await startStage();
    routes = await serveRoutes(stage, orderRoutes);
  });
  afterEach(async () => {
    routes.close();
    await stage.stop();
  });

  /** Writes the lines of an order that waits while Qualia is down. */
  const addWaiting = async (): Promise<void> => {
    const { requestId } = await stage.addNotified('QO-1', nowMs - 120_000);
    const about = { order_id: 'QO-1', request_id: requestId };
    stage.logs.webhook.write(nowMs - 120_000, {
      ...about,
      service: 'webhook',
      level: 'INFO',
      message: 'webhook accepted',
      status: 'NOTIFIED',
    });
    stage.logs.download.write(nowMs - 10_000, {
      ...about,
      service: 'download',
      level: 'WARN',
      message: 'a try failed, will retry',
      receive: 2,
      error: 'Qualia answered 503',
      error_code: 'API_UNAVAILABLE',
      status_code: 503,
      wait_seconds: 70,
    });
  };

  it('open orders have why they wait, the attempt, and the next one', async () => {
    await addWaiting();
    expect((await routes.get('/?tab=open')).body.orders).toEqual([
      {
        order_id: 'QO-1',
        status: 'NOTIFIED',
        at: '2026-01-31T11:58:00.000Z',
        worker: 'download',
        code: 'API_UNAVAILABLE',
        detail: 'Qualia answered 503',
        receive: 2,
        held_by_circuit: false,
        next_attempt_at: '2026-01-31T12:01:00.000Z',
      },
    ]);
  });

  it('failed orders come from their index, and recent ones from the logs', async () => {
    await addWaiting();
    await stage.addFailed('QO-2', nowMs - 60_000);
    const { body } = await routes.get('/?tab=failed');
    expect(body.orders).toMatchObject([{ order_id: 'QO-2', status: 'FAILED', receive: null }]);
    expect((await routes.get('/?tab=recent')).body.orders).toMatchObject([{ order_id: 'QO-1' }]);
    expect((await routes.get('/?tab=warnings')).body.orders).toEqual([]);
  });

  it.each([
    ['QO-1', ['QO-1']],
    ['request-1', ['QO-1']],
    ['QO-404', []],
    ['" or 1', []],
  ])('finds %s', async (q, found) => {
    await addWaiting();
    const { body } = await routes.get(`/?q=${encodeURIComponent(q)}`);
    expect(body.orders.map(({ order_id }: { readonly order_id: string }) => order_id)).toEqual(found);
  });

  it('refuses a period that is none', async () => {
    expect(await routes.get('/?since=soon')).toMatchObject({ status: 400, body: { error: { kind: 'usage' } } });
  });
});

describe('an order', () => {
  let world: WorkedStage;
  let routes: Awaited<ReturnType<typeof serveRoutes>>;
  beforeAll(async () => {
    world = await startWorkedStage();
    await world.addProcessed('QO-1', 'QO-2');
    routes = await serveRoutes(world.stage, orderRoutes, { now: Date.now });
  });
  afterAll(async () => {
    routes.close();
    await world.stop();
  });
  const ended = async (round: string): Promise<void> => {
    for (;;) {
      const order = await world.read('QO-1');
      if (order?.round === round && order.status === 'PROCESSED') return;
      await sleep(20);
    }
  };
  const recorded = async () => JSON.parse((await world.operate(['actions', '--json'])).stdout).actions;

  it('is replayed, and its payloads are compared and revealed value by value', async () => {
    const first = String((await world.read('QO-1'))?.round);
    await world.pipeline.qualia.change('QO-1', { purpose: 'of my neighbour' });
    const { status, body: replayed } = await routes.post('/QO-1/replay', { reason: 'changed' });
    expect(status).toBe(200);
    await ended(replayed.round);

    const { body } = await routes.get('/QO-1');
    expect(body).toMatchObject({ item: { order: { round: replayed.round } }, trace: { status: 'PROCESSED' } });
    const { body: compared } = await routes.get(`/QO-1/changes?from=${first}&to=${replayed.round}`);
    const change = compared.changes.find(({ path }: { readonly path: string }) => path.endsWith('purpose'));
    expect(change).toMatchObject({ change: 'changed', after: { type: 'string', length: 15 } });
    const { body: payload } = await routes.get(`/QO-1/payload?round=${replayed.round}`);
    expect(payload).toMatchObject({ mapping: 'mapped', size_bytes: expect.any(Number) });
    expect(JSON.stringify([payload, compared])).not.toContain('neighbour');

    const look = { round: replayed.round, reason: 'a question of the customer' };
    expect(await routes.post('/QO-1/reveal', { ...look, part: 'payload', path: change.path })).toEqual({
      status: 200,
      body: { value: 'of my neighbour' },
    });
    expect(await routes.post('/QO-1/reveal', { ...look, part: 'body', path: 'purpose' })).toMatchObject({
      body: { value: 'of my neighbour' },
    });
    expect(await routes.post('/QO-1/reveal', { ...look, part: 'body', path: 'nothing' })).toMatchObject({
      status: 404,
    });
    expect(await recorded()).toContainEqual(
      expect.objectContaining({ verb: 'orders reveal', ids: ['QO-1', `payload:${change.path}`], reason: look.reason }),
    );
  });

  it('is replayed with others as a task, which is recorded when it ends', async () => {
    const { body: task } = await routes.post('/replay', { ids: ['QO-1', 'QO-2'], source: 'raw', force: true });
    expect(task).toMatchObject({ verb: 'orders replay', title: 'Replay of 2 orders', total: 2 });
    const isRecorded = async () =>
      (await recorded()).some(
        ({ verb, count, outcome }: Readonly<Record<string, unknown>>) =>
          verb === 'orders replay' && count === 2 && outcome === 'done',
      );
    while (!(await isRecorded())) await sleep(50);
  });

  it('that is in flight when its replay stops by itself is waited for, until the operator ends the wait', async () => {
    await world.pause();
    // Only a circuit that opens after the replay has begun stops it.
    for (let second = 1; second <= 30; second++) {
      const line = { service: 'processing', CircuitOpen: 1 };
      world.stage.logs.download.write(Date.now() + second * 1_000, line);
    }
    const { body: task } = await routes.post('/replay', { ids: ['QO-1', 'QO-2'], source: 'raw' });
    const notes = async (state: string): Promise<readonly string[]> => {
      for (;;) {
        const found = routes.tasks.list().find(({ id }) => id === task.id);
        if (found?.state === state && found.notes.length > 0) return found.notes;
        await sleep(20);
      }
    };
    expect(await notes('running')).toEqual([
      'Stopping. Waiting up to 30 s for 2 orders in flight; Stop ends the wait.',
    ]);
    routes.tasks.stop(task.id);
    expect(await notes('failed')).toEqual([
      '2 orders under way',
      'Stopped: a circuit is open: its API is failing or asked for a long wait.',
    ]);
  });

  it('that is unknown is absent', async () => {
    expect(await routes.get('/QO-404')).toMatchObject({ status: 404 });
    expect(await routes.post('/QO-404/replay', { source: 'raw' })).toMatchObject({ status: 500 });
  });
});
