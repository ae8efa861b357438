import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { qualiaOrder } from '../../support/qualia-orders';
import { startWorkedStage, type WorkedStage } from './worked-stage';

let world: WorkedStage;
beforeAll(async () => {
  world = await startWorkedStage();
});
afterAll(() => world.stop());

const issueSchema = z.object({ id: z.string(), state: z.string(), detail: z.string().nullable(), count: z.number() });
const listSchema = z.object({ issues: z.array(issueSchema.loose()) });
const shownSchema = z.object({ issue: issueSchema.loose(), orders: z.array(z.string()) });

const operate = async (...args: readonly string[]) => {
  const { exitCode, stdout, stderr } = await world.operate(['issues', ...args]);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  return stdout;
};
const list = async (...args: readonly string[]) =>
  listSchema.parse(JSON.parse(await operate(...args, '--json'))).issues;
const show = async (...args: readonly string[]) => shownSchema.parse(JSON.parse(await operate(...args, '--json')));

/** Orders in this state, which fail. @returns their issue */
const failInState = async (state: string, ...ids: readonly string[]) => {
  const orders = ids.map((id) => ({ ...qualiaOrder(), _id: id, order_number: id, properties: [{ state }] }));
  await world.pipeline.qualia.add(...orders);
  for (const id of ids) await world.pipeline.startRound(id);
  for (const id of ids) while ((await world.read(id))?.status !== 'FAILED') await sleep(20);
  for (;;) {
    const found = (await list()).find((issue) => issue.detail === state && issue.count >= ids.length);
    if (found) return found;
    await sleep(20);
  }
};

test('an issue is listed, shown, acknowledged, resolved, and reopened by the next failure', async () => {
  const { id } = await failInState('ZZ', 'QO-1', 'QO-2');
  expect((await operate()).split('\n')).toEqual([
    expect.stringMatching(/^ISSUE +STATE +FAILED +LAST +CAUSE$/),
    expect.stringMatching(new RegExp(`^${id} +open +2 +[0-9ms ]+ +processing UNKNOWN_STATE ZZ$`)),
    '',
  ]);
  const text = await operate('get', id);
  expect(text.split('\n').filter((line) => !/^(first|last) seen/.test(line))).toEqual([
    `issue         ${id}  open`,
    'cause         processing UNKNOWN_STATE ZZ',
    'failed        2 times',
    expect.stringMatching(/^orders left {3}2: QO-[12], QO-[12]$/),
    'runbook       docs/runbook.md#orders-failed',
    expect.stringMatching(/^ {14}pipeline --local orders trace QO-[12]$/),
    `              pipeline --local issues replay ${id}`,
    `              pipeline --local issues resolve ${id}`,
    '',
  ]);
  expect((await show('get', id)).orders.sort()).toEqual(['QO-1', 'QO-2']);
  expect(text.split('\n').every((line) => line.length <= 80)).toBe(true);

  expect((await show('ack', id, '--until', '4h')).issue).toMatchObject({ state: 'acknowledged' });
  expect((await show('resolve', id)).issue).toMatchObject({
    state: 'resolved',
    resolved_by: 'operator',
    acknowledged_until: null,
    count: 2,
  });
  expect(await list()).toEqual([]);
  expect(await operate()).toBe('No open issue in dev on this machine.\n');
  expect(await list('--all')).toHaveLength(1);

  const reopened = await failInState('ZZ', 'QO-3');
  expect(reopened).toMatchObject({ id, state: 'open', reopened: true, count: 3, count_since_reopened: 1 });
  expect(await operate('get', id)).toContain('failed        3 times, 1 since it was opened again');
});

test('the orders of an issue are replayed, and those of others are not', async () => {
  const { id } = await failInState('XX', 'QO-11', 'QO-12');
  await failInState('YY', 'QO-13');
  for (const order of ['QO-11', 'QO-12', 'QO-13']) await world.pipeline.qualia.change(order, { properties: [] });
  const listed = await world.operate(['orders', 'list', '--issue', id, '--json']);
  expect(JSON.parse(listed.stdout)).toMatchObject({ total: 2 });
  const { exitCode, stdout } = await world.operate(['issues', 'replay', id, '--yes', '--json']);
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ requested: 2, outcomes: [{ outcome: 'posted', orders: 2 }] });
  expect(await show('get', id)).toMatchObject({ orders: [], issue: { state: 'open' } });
  expect(await world.read('QO-13')).toMatchObject({ status: 'FAILED' });
  const actions = await world.operate(['actions', '--json']);
  expect(JSON.parse(actions.stdout).actions).toContainEqual(
    expect.objectContaining({ verb: 'issues replay', ids: expect.arrayContaining(['QO-11', 'QO-12']) }),
  );
});

test('an unknown issue is reported, and changes nothing', async () => {
  for (const verb of [['get'], ['ack', '--until', '1h'], ['resolve'], ['replay', '--yes']]) {
    const [name = '', ...options] = verb;
    const { exitCode, stderr } = await world.operate(['issues', name, '0123abcd', ...options]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: 'error: There is no issue 0123abcd in dev.\n' });
  }
});

test.each([
  [['get', 'QO-1'], '<id> "QO-1" must be the id of an issue, as "issues" lists it'],
  [['ack', '0123abcd', '--until', '2020-01-01'], '--until "2020-01-01" must be within the next 30 days'],
  [['ack', '0123abcd', '--until', 'later'], '--until "later" must be a duration'],
])('%j is refused', async (args, message) => {
  const { exitCode, stderr } = await world.operate(['issues', ...args]);
  expect(exitCode).toBe(2);
  expect(stderr).toContain(message);
});
