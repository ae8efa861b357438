import { DeleteFunctionConcurrencyCommand, InvokeCommand, PutFunctionConcurrencyCommand } from '@aws-sdk/client-lambda';
import type { Drill } from '../drill';
import type { OrderFunction } from '../stage';

/** The line of the Lambda service about a process that ended by itself. */
const crashOf = (name: string): RegExp => new RegExp(`prod-marketplace-${name}\\s+(record\\.status +)?error`);
const workers = ['download', 'processing'] as const;

/** Has a worker crash at an order until the order's message is a dead letter. */
const crashingWorker = (worker: 'download' | 'processing'): Drill => ({
  alarms: { [`${worker}-fails`]: crashOf(worker), [`${worker}-dead-letters`]: /attempts +none has failed yet/ },
  cause: `${worker} is killed whenever it works on an order`,
  break: async (stage) => {
    stage.crash(worker);
    const { id } = await stage.newOrder();
    await stage.until('a dead letter', async () => (await stage.depthOf(`${worker}-dead-letters`)) > 0);
    return { 'order id': id };
  },
  fix: async (stage) => {
    stage.stopCrashing(worker);
    if ((await stage.depthOf(`${worker}-dead-letters`)) === 0) return;
    await stage.operate(['--stage', 'prod', 'dlq', 'redrive', worker, '--yes', '--reason', 'drill']);
    // The next drill must not crash at this order.
    await stage.untilEmpty(`${worker}-dead-letters`, ...workers);
  },
});

/** Takes a function's concurrency away, and lets it have one more call. */
const throttled = (name: OrderFunction, reserved?: number): Drill => ({
  alarms: { [`${name}-is-throttled`]: new RegExp(`Lambda throttles ${name}`) },
  cause: `${name} has no concurrency left`,
  break: async ({ stage, nameOf }) => {
    const FunctionName = nameOf(name);
    await stage.lambda.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 0 }));
    await stage.lambda.send(new InvokeCommand({ FunctionName })).then(
      () => Promise.reject(new Error(`${name} was invoked without concurrency.`)),
      (error: unknown) => {
        if (!(error instanceof Error) || error.name !== 'TooManyRequestsException') throw error;
      },
    );
    return {};
  },
  fix: async ({ stage, nameOf }) => {
    const FunctionName = nameOf(name);
    if (reserved === undefined) await stage.lambda.send(new DeleteFunctionConcurrencyCommand({ FunctionName }));
    else {
      const reservation = { FunctionName, ReservedConcurrentExecutions: reserved };
      await stage.lambda.send(new PutFunctionConcurrencyCommand(reservation));
    }
  },
});

const agedMs = 20 * 60_000;

/** Keeps an API down until the circuit has opened in three periods, with an order that has waited for 20 minutes. */
const outage = (worker: 'download' | 'processing', simulator: 'qualia' | 'internalApi'): Drill => ({
  alarms: {
    [`${worker}-falls-behind`]: /API_UNAVAILABLE +503/,
    [`${worker}-api-stays-down`]: /API_UNAVAILABLE +503/,
  },
  cause: `the API behind ${worker} responds 503`,
  supplied: 'a fresh copy that is 20 minutes old',
  break: async (stage) => {
    await stage.setFaults(simulator, { kind: 'server_error' });
    let opened = stage.countLines(/"CircuitOpen"/);
    const ids: string[] = [];
    for (let order = 0; order < 5; order++) ids.push((await stage.newOrder()).id);
    for (let period = 0; period < 3; period++) {
      await stage.until('the circuit opens', () => opened() > 0);
      await stage.aws.advance(5);
      // The next process starts with a closed circuit.
      await stage.kill(worker);
      // Two processes can have opened theirs, so that only the lines of a period count.
      opened = stage.countLines(/"CircuitOpen"/);
    }
    const [id = ''] = ids;
    const order = await stage.orderOf(id);
    if (order === undefined) throw new Error(`There is no order ${id}.`);
    const deferred = stage.countLines(/"DeferredOrderAge":12\d\d\b/);
    const { order_id, round, request_id } = order;
    const payload = order.status === 'DOWNLOADED' ? { s3_key: order.s3_key, checksum: order.checksum } : {};
    await stage.send(
      worker,
      JSON.stringify({ order_id, round, request_id, ...payload, first_sent_at: Date.now() - agedMs }),
    );
    await stage.until('the old message is put off again', () => deferred() > 0);
    return { 'order id': id };
  },
  fix: async (stage) => {
    await stage.setFaults(simulator);
    await stage.kill(worker);
    await stage.untilEmpty(worker);
  },
});

const pastRetentionWarningMinutes = 10 * 24 * 60 + 10;

/** Nobody looks at dead letters until SQS is about to delete them. */
const neglected: Drill = {
  alarms: Object.fromEntries(
    workers.map((worker) => [`${worker}-nears-retention`, new RegExp(`1 dead letter of ${worker}`)]),
  ),
  cause: 'dead letters that nobody looks at for ten days',
  break: async (stage) => {
    // A dead letter of an earlier drill would be one more.
    for (const worker of workers) await stage.purge(`${worker}-dead-letters`);
    for (const worker of workers) await stage.send(`${worker}-dead-letters`, 'not one of ours');
    await stage.aws.advance(pastRetentionWarningMinutes);
    return {};
  },
  fix: async (stage) => {
    for (const worker of workers) await stage.purge(`${worker}-dead-letters`);
  },
};

const crashingWebhook: Drill = {
  alarms: { 'webhook-fails': crashOf('webhook') },
  cause: 'the webhook is killed at each call',
  break: async (stage) => {
    stage.crash('webhook');
    for (let call = 0; call < 3; call++) await stage.newOrder();
    return {};
  },
  fix: async (stage) => stage.stopCrashing('webhook'),
};

const crashingIssueWatch: Drill = {
  alarms: { 'issue-watch-fails': crashOf('issue-watch') },
  cause: 'issue-watch is killed whenever it runs',
  break: async (stage) => {
    stage.crash('issue-watch');
    for (let run = 0; run < 2; run++) await stage.aws.invoke(stage.nameOf('issue-watch'), {});
    return {};
  },
  fix: async (stage) => stage.stopCrashing('issue-watch'),
};

/** Drills of the alarms on Lambdas, queues, and the APIs behind them. */
export const workerDrills: readonly Drill[] = [
  crashingWebhook,
  crashingIssueWatch,
  ...workers.map(crashingWorker),
  throttled('webhook', 500),
  throttled('download'),
  throttled('processing'),
  throttled('reconciler'),
  throttled('issue-watch'),
  outage('download', 'qualia'),
  outage('processing', 'internalApi'),
  neglected,
];
