import { cells, eventually } from './support/ask';
import { type Cut, cellIdOf } from './support/cell';
import { cutAlways, cutOnce, failing, type Row } from './support/matrix';
import {
  createOrder,
  failureOf,
  notify,
  processed,
  queuesEmpty,
  reconcile,
  type Shape,
  shapes,
  takenRounds,
  watchDeadLetters,
} from './support/orders';
import { dryPasses } from './support/world';

const passes = dryPasses();
const operator = watchDeadLetters();
afterAll(operator.stop);

/** Every order of this file, each row's own. */
const orders: string[] = [];

/** Makes the order of a row. */
const enter = async ({ cut }: Row, ...others: readonly Cut[]): Promise<string> => {
  const id = cellIdOf(10_000 + orders.length);
  orders.push(id);
  await createOrder(id);
  const opensCircuits = cut.nth === 'each' && cut.site.service === 'http';
  const needsNewProcess = cut.site.service === 'secretsmanager' || opensCircuits;
  await cells.put(id, { cuts: [cut, ...others], ...(needsNewProcess && { cold: cut.site.lambda }) });
  return id;
};

const expectCut = async (id: string): Promise<void> => {
  expect((await cells.seen(id)).filter(({ cut }) => cut === 0)).not.toEqual([]);
};

const expectProcessedOnce = async (id: string): Promise<void> => {
  await processed(id);
  const rounds = await takenRounds(id);
  expect(rounds).not.toEqual([]);
  expect(rounds).toEqual([...new Set(rounds)]);
};

/** What a dead letter's order says, and that it is PROCESSED once the fault is gone and an operator gave it back. */
const expectDeadThenRedriven = async (id: string, failure: string | undefined): Promise<void> => {
  await operator.arrived(id);
  expect(await failureOf(id)).toBe(failure);
  await expectCut(id);
  await cells.heal(id);
  await operator.redrive(id);
  await expectProcessedOnce(id);
};

const isWebhooks = ({ cut }: Row) => cut.site.lambda === 'webhook';
const named = (rows: readonly Row[]) => rows.map((row) => [row.name, row] as const);

const once = cutOnce(passes.order);
const always = cutAlways(passes.order);

describe.each(Object.keys(shapes) as Shape[])('the webhook is cut, and its sender tries again: %s', (shape) => {
  test.concurrent.each(named(once.filter(isWebhooks)))('%s', async (_name, row) => {
    const id = await enter(row);
    const answers = await notify(id, shape);
    expect(answers.at(-1)).toBe(200);
    expect(answers.length).toBeLessThanOrEqual(2);
    await expectCut(id);
    await expectProcessedOnce(id);
  });
});

describe('the webhook is cut always: it never says 200, and does once it is not', () => {
  test.concurrent.each(named(always.filter(isWebhooks)))('%s', async (_name, row) => {
    const id = await enter(row);
    expect(await notify(id, 'activity', 2)).toEqual([500, 500]);
    await expectCut(id);
    await cells.heal(id);
    expect(await notify(id, 'activity')).toEqual([200]);
    await expectProcessedOnce(id);
  });
});

describe('a worker is cut', () => {
  test.concurrent.each(named(once.filter((row) => !isWebhooks(row))))('%s', async (_name, row) => {
    const id = await enter(row);
    await notify(id, 'activity');
    await expectProcessedOnce(id);
    await expectCut(id);
  });
});

/** Each of its processes is new: none of them has ever seen the API answer. */
const isOutage = ({ cut: { site, by } }: Row) => site.service === 'http' && by.does !== 'kill';
const workersAlways = always.filter((row) => !isWebhooks(row));

describe('a worker is cut always from an API that answers nobody: its message waits, and is no dead letter', () => {
  test.concurrent.each(named(workersAlways.filter(isOutage)))('%s', async (_name, row) => {
    const id = await enter(row);
    await notify(id, 'activity');
    // More tries than a message's five receives have.
    await eventually('a sixth receive', async () => ((await cells.seen(id)).length > 5 * 3 + 5 ? true : undefined));
    expect(await failureOf(id)).toBeUndefined();
    expect([...operator.letters.keys()]).not.toContain(id);
    await cells.heal(id);
    await expectProcessedOnce(id);
  });
});

describe('a worker is cut always: a dead letter, FAILED where that can be told', () => {
  test.concurrent.each(named(workersAlways.filter((row) => !isOutage(row))))('%s', async (_name, row) => {
    const { site, by } = row.cut;
    const tells = by.does !== 'kill' && site.operation !== 'UpdateItem';
    const id = await enter(row);
    await notify(id, 'activity');
    await expectDeadThenRedriven(id, tells ? 'RETRIES_EXHAUSTED' : undefined);
  });
});

describe.each(Object.keys(failing) as (keyof typeof failing)[])('a worker is cut while its step fails: %s', (stage) => {
  const calls = stage === 'download' ? passes.failingDownload : passes.failingProcessing;
  test.concurrent.each(named(cutOnce(calls)))('%s', async (_name, row) => {
    const { site, by } = row.cut;
    const tells = !(site.operation === 'UpdateItem' && by.does === 'kill' && by.when === 'before');
    const id = await enter(row, failing[stage]);
    await notify(id, 'activity');
    await expectDeadThenRedriven(id, tells ? 'RETRIES_EXHAUSTED' : undefined);
  });
});

describe('the reconciler is cut', () => {
  test.concurrent.each(named(cutOnce(passes.reconciliation)))('%s', async (_name, row) => {
    const id = await enter(row);
    expect(await reconcile(id)).toBeLessThanOrEqual(2);
    await expectCut(id);
    await expectProcessedOnce(id);
  });
});

// Not concurrent: it comes when all others have ended.
test('nothing is left behind: no message, no dead letter, every order PROCESSED once', async () => {
  await queuesEmpty();
  expect([...operator.letters.keys()]).toEqual([]);
  for (const id of orders) await expectProcessedOnce(id);
});
