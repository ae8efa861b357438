import { hasNewestState } from '../support/newest-state';
import { eventually, scenarios } from './support/clients';
import {
  interruptAlways,
  interruptOnce,
  killBeforeSend,
  permanentFailures,
  qualiaOutage,
  type Row,
  retryableFailures,
} from './support/matrix';
import {
  acceptedRounds,
  changeOrder,
  createOrder,
  failureOf,
  maxEffectsOf,
  notify,
  postInvalid,
  reconcile,
  type Shape,
  shapes,
  waitForEmptyQueues,
  waitUntilProcessed,
  watchDeadLetters,
} from './support/orders';
import { type InjectedFault, type NthCall, nameOf, scenarioIdOf } from './support/scenario';
import { readBaseline, world } from './support/world';

const baseline = readBaseline();
const { qualia: qualiaUrl, internalApi: internalApiUrl } = world();
const controlUrls = { qualiaUrl, internalApiUrl };
const deadLetters = watchDeadLetters();
afterAll(deadLetters.stop);

/** The ids of all orders in this file. Each row has its own order. */
const orders: string[] = [];

/** Creates the order of a row. */
const createScenario = async ({ fault }: Row, ...otherFaults: readonly InjectedFault[]): Promise<string> => {
  const id = scenarioIdOf(10_000 + orders.length);
  orders.push(id);
  await createOrder(id);
  const faults = [fault, ...otherFaults];
  const opensCircuits = faults.some(({ nth, site }) => nth === 'each' && site.service === 'http');
  const needsNewProcess = fault.site.service === 'secretsmanager' || opensCircuits;
  await scenarios.put(id, { faults, ...(needsNewProcess && { coldLambda: fault.site.lambda }) });
  return id;
};

/** Calls that a fault interrupted. Default: the fault of the row. */
const interruptedCalls = async (id: string, faultIndex = 0) =>
  (await scenarios.calls(id)).filter((call) => call.faultIndex === faultIndex);

/** Waits for the interrupted call: a worker records the issue of a failure last, perhaps after the dead letter was seen. */
const expectInterrupted = async (id: string): Promise<void> => {
  await eventually('the interrupted call', async () => ((await interruptedCalls(id)).length > 0 ? true : undefined));
};

const expectProcessedOnce = async (id: string): Promise<void> => {
  await waitUntilProcessed(id);
  const rounds = await acceptedRounds(id);
  expect(rounds).not.toEqual([]);
  expect(rounds.length).toBeLessThanOrEqual(maxEffectsOf(id, rounds));
};

/** Expects a dead letter and the order's error code, then PROCESSED after the fault is removed and the letter redriven. */
const expectDeadThenRedriven = async (id: string, failure: string | undefined): Promise<void> => {
  await deadLetters.waitFor(id);
  expect(await failureOf(id)).toBe(failure);
  await expectInterrupted(id);
  await scenarios.clearFaults(id);
  await deadLetters.redrive(id);
  await expectProcessedOnce(id);
};

const isOfWebhook = ({ fault }: Row) => fault.site.lambda === 'webhook';
const named = (rows: readonly Row[]) => rows.map((row) => [row.name, row] as const);

const workers = ['download', 'processing'] as const;

/** The rows are made from the baseline: a call that it lacks would never be interrupted. */
test('the baseline contains every call that can be interrupted', () => {
  const namesOf = (calls: readonly NthCall[]) => [...new Set(calls.map(nameOf))].sort();
  const both = (calls: Record<'download' | 'processing', readonly NthCall[]>) =>
    namesOf([...calls.download, ...calls.processing]);
  expect({
    order: namesOf(baseline.order),
    refusal: namesOf(baseline.refusal),
    resend: namesOf([...baseline.resend.webhook, ...baseline.resend.download]),
    retryableFailure: both(baseline.retryableFailure),
    permanentFailure: both(baseline.permanentFailure),
    freshCopy: namesOf(baseline.freshCopy),
    reconciliation: namesOf(baseline.reconciliation),
  }).toEqual({
    order: [
      'download dynamodb.UpdateItem',
      'download http.POST /api/vendor/graphql',
      'download s3.PutObject',
      'download secretsmanager.GetSecretValue',
      'download sqs.SendMessageBatch',
      'processing dynamodb.GetItem',
      'processing dynamodb.UpdateItem',
      'processing http.POST /orders',
      'processing s3.GetObject',
      'processing secretsmanager.GetSecretValue',
      'webhook dynamodb.UpdateItem',
      'webhook secretsmanager.GetSecretValue',
      'webhook sqs.SendMessage',
    ],
    refusal: ['webhook s3.PutObject'],
    resend: [
      'download dynamodb.GetItem',
      'download s3.GetObject',
      'download sqs.SendMessageBatch',
      'webhook dynamodb.GetItem',
      'webhook sqs.SendMessage',
    ],
    retryableFailure: [
      'download dynamodb.UpdateItem',
      'download sqs.ChangeMessageVisibility',
      'processing dynamodb.UpdateItem',
      'processing sqs.ChangeMessageVisibility',
    ],
    permanentFailure: ['download dynamodb.UpdateItem', 'download s3.PutObject', 'processing dynamodb.UpdateItem'],
    freshCopy: ['download dynamodb.GetItem', 'download sqs.SendMessage'],
    reconciliation: [
      'reconciler dynamodb.BatchGetItem',
      'reconciler dynamodb.Query',
      'reconciler dynamodb.Scan',
      'reconciler dynamodb.UpdateItem',
      'reconciler http.POST /api/vendor/graphql',
      'reconciler s3.GetObject',
      'reconciler s3.PutObject',
      'reconciler secretsmanager.GetSecretValue',
      'reconciler sqs.SendMessage',
    ],
  });
});

const once = interruptOnce(baseline.order);
const always = interruptAlways(baseline.order);

describe.each(Object.keys(shapes) as Shape[])(
  'one call of the webhook is interrupted: the sender gets 200 after at most one retry: %s',
  (shape) => {
    test.concurrent.each(named(once.filter(isOfWebhook)))('%s', async (_name, row) => {
      const id = await createScenario(row);
      const statuses = await notify(id, shape);
      expect(statuses.at(-1)).toBe(200);
      expect(statuses.length).toBeLessThanOrEqual(2);
      await expectInterrupted(id);
      await expectProcessedOnce(id);
    });
  },
);

describe('all calls of one kind by the webhook are interrupted: it responds 500, and 200 once the fault is gone', () => {
  test.concurrent.each(named(always.filter(isOfWebhook)))('%s', async (_name, row) => {
    const id = await createScenario(row);
    expect(await notify(id, 'activity', 2)).toEqual([500, 500]);
    await expectInterrupted(id);
    await scenarios.clearFaults(id);
    expect(await notify(id, 'activity')).toEqual([200]);
    await expectProcessedOnce(id);
  });
});

describe('the call that keeps a refused body is interrupted: the response is 422 all the same', () => {
  const rows = [...interruptOnce(baseline.refusal), ...interruptAlways(baseline.refusal)];
  test.concurrent.each(named(rows))('%s', async (_name, row) => {
    const id = await createScenario(row);
    // The HTTP API responds for a process that was killed, and Qualia repeats the call.
    const isKilled = row.fault.interception.does === 'kill';
    expect(await postInvalid(id)).toBe(isKilled ? 500 : 422);
    await expectInterrupted(id);
    await scenarios.clearFaults(id);
    expect(await postInvalid(id)).toBe(422);
    await notify(id, 'activity');
    await expectProcessedOnce(id);
  });
});

describe('one call of a worker is interrupted: the order is processed once', () => {
  test.concurrent.each(named(once.filter((row) => !isOfWebhook(row))))('%s', async (_name, row) => {
    const id = await createScenario(row);
    await notify(id, 'activity');
    await expectProcessedOnce(id);
    await expectInterrupted(id);
  });
});

/** The API never responds to this order. Each receive has a new process, so no call to the API has ever succeeded there. */
const isOutage = ({ fault: { site, interception } }: Row) => site.service === 'http' && interception.does !== 'kill';
const workersAlways = always.filter((row) => !isOfWebhook(row));

/** A receive makes three attempts to call an API that fails, and the fifth receive of a message is usually the last. */
const expectSixthReceive = async (id: string, faultIndex: number): Promise<void> => {
  await eventually('a sixth receive', async () =>
    (await interruptedCalls(id, faultIndex)).length > 5 * 3 ? true : undefined,
  );
  expect(await failureOf(id)).toBeUndefined();
  expect([...deadLetters.letters.keys()]).not.toContain(id);
};

describe('an API never responds to a worker: the message waits, and does not become a dead letter', () => {
  test.concurrent.each(named(workersAlways.filter(isOutage)))('%s', async (_name, row) => {
    const id = await createScenario(row);
    await notify(id, 'activity');
    await expectSixthReceive(id, 0);
    await scenarios.clearFaults(id);
    await expectProcessedOnce(id);
  });
});

describe('all calls of one kind by a worker are interrupted: a dead letter, and FAILED if that can be written', () => {
  test.concurrent.each(named(workersAlways.filter((row) => !isOutage(row))))('%s', async (_name, row) => {
    const { site, interception } = row.fault;
    const canWriteFailure = interception.does !== 'kill' && site.operation !== 'UpdateItem';
    const id = await createScenario(row);
    await notify(id, 'activity');
    await expectDeadThenRedriven(id, canWriteFailure ? 'RETRIES_EXHAUSTED' : undefined);
  });
});

describe.each(workers)('one call after a retryable failure is interrupted: a dead letter: %s', (worker) => {
  test.concurrent.each(named(interruptOnce(baseline.retryableFailure[worker])))('%s', async (_name, row) => {
    const { site, nth, interception } = row.fault;
    const isKilledBeforeWrite =
      // The second update is that of the issue.
      site.operation === 'UpdateItem' && nth === 1 && interception.does === 'kill' && interception.when === 'before';
    const id = await createScenario(row, retryableFailures[worker]);
    await notify(id, 'activity');
    await expectDeadThenRedriven(id, isKilledBeforeWrite ? undefined : 'RETRIES_EXHAUSTED');
  });
});

describe.each(workers)(
  'one call after a permanent failure is interrupted: the failure is logged, and a new round succeeds: %s',
  (worker) => {
    test.concurrent.each(named(interruptOnce(baseline.permanentFailure[worker])))('%s', async (_name, row) => {
      const id = await createScenario(row, permanentFailures[worker]);
      await notify(id, 'activity');
      const isFailureLine = (line: string) => line.includes('"order failed for good"');
      await eventually('the log line of the failure', async () => (await scenarios.logLines(id)).find(isFailureLine));
      expect(await failureOf(id)).toBe(worker === 'download' ? 'BAD_ANSWER' : 'API_REFUSED');
      await expectInterrupted(id);
      await scenarios.clearFaults(id);
      await notify(id, 'activity');
      await expectProcessedOnce(id);
    });
  },
);

describe('one call that replaces a message by a fresh copy is interrupted', () => {
  test.concurrent.each(named(interruptOnce(baseline.freshCopy)))('%s', async (_name, row) => {
    const id = await createScenario(row, qualiaOutage);
    await notify(id, 'activity');
    // The killed receive was the last, so SQS moves the message to the dead-letter queue.
    if (row.fault.interception.does === 'kill') return expectDeadThenRedriven(id, undefined);
    await expectSixthReceive(id, 1);
    await expectInterrupted(id);
    await scenarios.clearFaults(id);
    await expectProcessedOnce(id);
  });
});

describe.each(['webhook', 'download'] as const)(
  'a delivery is killed before its send, and one call of the next delivery is interrupted: %s',
  (lambda) => {
    test.concurrent.each(named(interruptOnce(baseline.resend[lambda])))('%s', async (_name, row) => {
      const id = await createScenario(row, killBeforeSend(lambda));
      expect((await notify(id, 'notification')).at(-1)).toBe(200);
      await expectProcessedOnce(id);
      await expectInterrupted(id);
    });
  },
);

describe('one call of the reconciler is interrupted: it queues the order in this hour or the next', () => {
  test.concurrent.each(named(interruptOnce(baseline.reconciliation)))('%s', async (_name, row) => {
    const id = await createScenario(row);
    expect(await reconcile(id)).toBeLessThanOrEqual(2);
    await expectInterrupted(id);
    await expectProcessedOnce(id);
  });
});

// Not concurrent, so jest starts these tests after all others have ended.
test('after all rows, the queues are empty, there are no dead letters, and every order is PROCESSED once', async () => {
  await waitForEmptyQueues();
  expect([...deadLetters.letters.keys()]).toEqual([]);
  for (const id of orders) await expectProcessedOnce(id);
  for (const id of orders)
    expect({ id, isNewest: await hasNewestState(id, controlUrls) }).toEqual({ id, isNewest: true });
});

test('after all rows, each order still follows a change at Qualia, and the change back', async () => {
  // Without its scenario, an order needs no new processes. If all twenty of a time started one for each call, a busy
  // machine could not start them within the ten seconds that Lambda allows.
  for (const id of orders) await scenarios.clearFaults(id);
  const changePurpose = async (id: string, purpose: string): Promise<void> => {
    await changeOrder(id, { purpose });
    expect((await notify(id, 'activity')).at(-1)).toBe(200);
    await eventually(`${id} with ${purpose}`, async () => ((await hasNewestState(id, controlUrls)) ? true : undefined));
  };
  const queue = orders.values();
  const changeOrders = async (): Promise<void> => {
    for (const id of queue) for (const purpose of ['Changed', 'Refinance']) await changePurpose(id, purpose);
  };
  await Promise.all(Array.from({ length: 20 }, changeOrders));
});
