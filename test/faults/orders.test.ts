import { hasNewestState } from '../support/newest-state';
import { cells, eventually } from './support/ask';
import { type Cut, cellIdOf, type NthCall, nameOf } from './support/cell';
import { cutAlways, cutOnce, dyingBeforeSend, failing, outage, type Row, refusing } from './support/matrix';
import {
  changeOrder,
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
import { dryPasses, world } from './support/world';

const passes = dryPasses();
const { qualia: qualiaUrl, internalApi: internalApiUrl } = world();
const sides = { qualiaUrl, internalApiUrl };
const operator = watchDeadLetters();
afterAll(operator.stop);

/** Every order of this file, each row's own. */
const orders: string[] = [];

/** Makes the order of a row. */
const enter = async ({ cut }: Row, ...others: readonly Cut[]): Promise<string> => {
  const id = cellIdOf(10_000 + orders.length);
  orders.push(id);
  await createOrder(id);
  const cuts = [cut, ...others];
  const opensCircuits = cuts.some(({ nth, site }) => nth === 'each' && site.service === 'http');
  const needsNewProcess = cut.site.service === 'secretsmanager' || opensCircuits;
  await cells.put(id, { cuts, ...(needsNewProcess && { cold: cut.site.lambda }) });
  return id;
};

/** Calls that were cut. Default: the call of the row. */
const cutCalls = async (id: string, which = 0) => (await cells.seen(id)).filter(({ cut }) => cut === which);

const expectCut = async (id: string): Promise<void> => {
  expect(await cutCalls(id)).not.toEqual([]);
};

const expectProcessedOnce = async (id: string): Promise<void> => {
  await processed(id);
  const rounds = await takenRounds(id);
  expect(rounds).not.toEqual([]);
  // One effect of each round. A round that an older one may have overtaken has another one, with the same body.
  expect(rounds.length).toBeLessThan(2 * new Set(rounds).size);
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

const stages = ['download', 'processing'] as const;

/** A call that no dry pass makes would be missed by no row. */
test('the dry passes make every call that there is to cut', () => {
  const namesOf = (calls: readonly NthCall[]) => [...new Set(calls.map(nameOf))].sort();
  const both = (of: Record<'download' | 'processing', readonly NthCall[]>) =>
    namesOf([...of.download, ...of.processing]);
  expect({
    order: namesOf(passes.order),
    again: namesOf([...passes.again.webhook, ...passes.again.download]),
    failing: both(passes.failing),
    refused: both(passes.refused),
    spared: namesOf(passes.spared),
    reconciliation: namesOf(passes.reconciliation),
  }).toEqual({
    order: [
      'download dynamodb.UpdateItem',
      'download http.POST /api/vendor/graphql',
      'download s3.PutObject',
      'download secretsmanager.GetSecretValue',
      'download sqs.SendMessage',
      'processing dynamodb.GetItem',
      'processing dynamodb.UpdateItem',
      'processing http.POST /orders',
      'processing s3.GetObject',
      'processing secretsmanager.GetSecretValue',
      'webhook dynamodb.UpdateItem',
      'webhook secretsmanager.GetSecretValue',
      'webhook sqs.SendMessage',
    ],
    again: [
      'download dynamodb.GetItem',
      'download s3.GetObject',
      'download sqs.SendMessage',
      'webhook dynamodb.GetItem',
      'webhook sqs.SendMessage',
    ],
    failing: [
      'download dynamodb.UpdateItem',
      'download sqs.ChangeMessageVisibility',
      'processing dynamodb.UpdateItem',
      'processing sqs.ChangeMessageVisibility',
    ],
    refused: ['download dynamodb.UpdateItem', 'download s3.PutObject', 'processing dynamodb.UpdateItem'],
    spared: ['download dynamodb.GetItem', 'download sqs.SendMessage'],
    reconciliation: [
      'reconciler dynamodb.BatchGetItem',
      'reconciler dynamodb.UpdateItem',
      'reconciler http.POST /api/vendor/graphql',
      'reconciler s3.GetObject',
      'reconciler s3.PutObject',
      'reconciler secretsmanager.GetSecretValue',
      'reconciler sqs.SendMessage',
    ],
  });
});

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

/** An API that does not answer is called three times a receive, and a message has five of those. */
const expectSixthReceive = async (id: string, which: number): Promise<void> => {
  await eventually('a sixth receive', async () => ((await cutCalls(id, which)).length > 5 * 3 ? true : undefined));
  expect(await failureOf(id)).toBeUndefined();
  expect([...operator.letters.keys()]).not.toContain(id);
};

describe('a worker is always cut from an API that responds to no call: its message waits, and becomes no dead letter', () => {
  test.concurrent.each(named(workersAlways.filter(isOutage)))('%s', async (_name, row) => {
    const id = await enter(row);
    await notify(id, 'activity');
    await expectSixthReceive(id, 0);
    await cells.heal(id);
    await expectProcessedOnce(id);
  });
});

describe('a worker is always cut: a dead letter, FAILED if that can be written', () => {
  test.concurrent.each(named(workersAlways.filter((row) => !isOutage(row))))('%s', async (_name, row) => {
    const { site, by } = row.cut;
    const canWriteFailure = by.does !== 'kill' && site.operation !== 'UpdateItem';
    const id = await enter(row);
    await notify(id, 'activity');
    await expectDeadThenRedriven(id, canWriteFailure ? 'RETRIES_EXHAUSTED' : undefined);
  });
});

describe.each(stages)('a worker is cut while its step fails: %s', (stage) => {
  test.concurrent.each(named(cutOnce(passes.failing[stage])))('%s', async (_name, row) => {
    const { site, by } = row.cut;
    const canWriteFailure = !(site.operation === 'UpdateItem' && by.does === 'kill' && by.when === 'before');
    const id = await enter(row, failing[stage]);
    await notify(id, 'activity');
    await expectDeadThenRedriven(id, canWriteFailure ? 'RETRIES_EXHAUSTED' : undefined);
  });
});

describe.each(stages)(
  'a worker is cut during a permanent failure: it is logged, and a new round succeeds: %s',
  (stage) => {
    test.concurrent.each(named(cutOnce(passes.refused[stage])))('%s', async (_name, row) => {
      const id = await enter(row, refusing[stage]);
      await notify(id, 'activity');
      const isFailureLine = (line: string) => line.includes('"order failed for good"');
      await eventually('its failure is logged', async () => (await cells.logged(id)).find(isFailureLine));
      expect(await failureOf(id)).toBe(stage === 'download' ? 'BAD_ANSWER' : 'API_REFUSED');
      await expectCut(id);
      await cells.heal(id);
      await notify(id, 'activity');
      await expectProcessedOnce(id);
    });
  },
);

describe('a worker is cut while it spares a message its last receive', () => {
  test.concurrent.each(named(cutOnce(passes.spared)))('%s', async (_name, row) => {
    const id = await enter(row, outage);
    await notify(id, 'activity');
    // It had no receive left to come back with.
    if (row.cut.by.does === 'kill') return expectDeadThenRedriven(id, undefined);
    await expectSixthReceive(id, 1);
    await expectCut(id);
    await cells.heal(id);
    await expectProcessedOnce(id);
  });
});

describe.each(['webhook', 'download'] as const)(
  'who died before it handed on is cut when it does so again: %s',
  (lambda) => {
    test.concurrent.each(named(cutOnce(passes.again[lambda])))('%s', async (_name, row) => {
      const id = await enter(row, dyingBeforeSend(lambda));
      expect((await notify(id, 'notification')).at(-1)).toBe(200);
      await expectProcessedOnce(id);
      await expectCut(id);
    });
  },
);

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
  for (const id of orders) expect({ id, isNewest: await hasNewestState(id, sides) }).toEqual({ id, isNewest: true });
});

test('each order follows a change at Qualia, and its way back', async () => {
  const follow = async (id: string, purpose: string): Promise<void> => {
    await changeOrder(id, { purpose });
    expect((await notify(id, 'activity')).at(-1)).toBe(200);
    await eventually(`${id} with ${purpose}`, async () => ((await hasNewestState(id, sides)) ? true : undefined));
  };
  const queue = orders.values();
  const follower = async (): Promise<void> => {
    for (const id of queue) for (const purpose of ['Changed', 'Refinance']) await follow(id, purpose);
  };
  await Promise.all(Array.from({ length: 20 }, follower));
});
