import { briefCalls } from '../../shared/aws/clients';
import { createInternalApi } from './apis/internal-api';
import { createQualia } from './apis/qualia';
import { createAws } from './aws';
import { createAwsClient } from './aws-calls';
import { createHandlers, type ProcessClients, resources, settings } from './composition';
import { createConnection } from './connection';
import { createFaults } from './faults';
import { createFunctionPool, type FunctionPool, type Handler } from './function-pool';
import type { Action, History, Worker } from './history';
import { createLambdaProcess, type LambdaProcess } from './lambda-process';
import { createLifecycleOracle, judgeEnd, judgeRest, type Violation } from './oracles';
import { createPoller } from './poller';
import { createScheduler } from './scheduler';
import { createTrace } from './trace';
import { installVirtualTime } from './virtual-time';
import { createWebhookSender } from './webhook-sender';

export interface Result {
  readonly seed: number;
  readonly violations: readonly Violation[];
  /** Identifies the sequence of all calls. */
  readonly traceHash: string;
  readonly trace: readonly string[];
  readonly webhooks: number;
  readonly acknowledged: number;
  readonly virtualMs: number;
  readonly events: number;
  readonly calls: number;
  readonly posts: number;
}

const startMs = Date.parse('2026-01-05T00:00:00Z');
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
/** Everything that was acknowledged comes to an end in this time without faults, and without the reconciler. */
const restHours = 4;
const redriveMinutes = 20;
/** Then the reconciler checks every order once in this time. */
const reconciledHours = 26;
/** Qualia sends a webhook this many times. */
const maxSends = 6;

/** Runs a history, and then time without faults in which everything must come to rest. */
export const simulate = async (history: History, { keepsTrace = false } = {}): Promise<Result> => {
  const scheduler = createScheduler(history.seed, startMs);
  const { choose, now } = scheduler;
  const restore = installVirtualTime(scheduler);
  try {
    const trace = createTrace(now, keepsTrace);
    const faults = createFaults(scheduler);
    const violations: Violation[] = [];
    const qualia = createQualia({
      now,
      choose,
      callsPerSecond: settings.callsPerSecond.qualia,
      isPoisoned: (orderId) => faults.isPoisoned('qualia', orderId),
    });
    const internalApi = createInternalApi({
      now,
      callsPerSecond: settings.callsPerSecond.internalApi,
      isPoisoned: (orderId) => faults.isPoisoned('internal', orderId),
    });
    const lifecycle = createLifecycleOracle((violation) => {
      trace.add('ORACLE', `${violation.oracle}: ${violation.about}`);
      violations.push(violation);
    });
    const aws = createAws(scheduler, {
      onOrderWritten: lifecycle.check,
      onQueueCalled: (queueUrl) => pollers.get(queueUrl)?.poke(),
    });

    const clientsOf = (process: LambdaProcess): ProcessClients => {
      const options = { scheduler, faults, process, trace };
      return {
        dynamodb: createAwsClient(options, 'dynamodb', aws.clients.dynamodb),
        sqs: createAwsClient(options, 'sqs', aws.clients.sqs),
        briefSqs: createAwsClient(options, 'sqs', aws.clients.sqs, briefCalls),
        s3: createAwsClient(options, 's3', aws.clients.s3),
        secrets: createAwsClient(options, 'secrets', aws.clients.secrets),
        qualia: createConnection(options, 'qualia', qualia.server),
        internal: createConnection(options, 'internal', internalApi.server),
      };
    };

    const handlers = createHandlers(scheduler);
    const poolOf = (name: Worker, timeoutMs: number): FunctionPool =>
      createFunctionPool({
        scheduler,
        trace,
        name,
        timeoutMs,
        create: (process) => handlers[name](process, clientsOf(process)) as Handler,
      });
    const pools: Readonly<Record<Worker, FunctionPool>> = {
      webhook: poolOf('webhook', 10_000),
      download: poolOf('download', minuteMs),
      processing: poolOf('processing', minuteMs),
      reconciler: poolOf('reconciler', 15 * minuteMs),
    };
    const pollerOf = (name: 'download' | 'processing' | 'reconciler', limits = { batchSize: 1, maxConcurrency: 2 }) =>
      createPoller({ scheduler, queues: aws.queues, queueUrl: resources[name], pool: pools[name], ...limits });
    const pollers = new Map([
      [resources.download as string, pollerOf('download', settings.download)],
      [resources.processing as string, pollerOf('processing', settings.processing)],
      [resources.reconciler as string, pollerOf('reconciler')],
    ]);

    const sender = createWebhookSender(scheduler, pools.webhook);
    const operator = createLambdaProcess(scheduler, 'operator');
    const replay = handlers.replay(operator, clientsOf(operator));
    const perform = (action: Action): void => {
      switch (action.kind) {
        case 'change': {
          const { version, isOpen } = qualia.change(action.orderId);
          // The reconciler finds every lost change of an open order. Of a closed one, only a webhook reports it.
          const [copies, sends] = isOpen ? [action.copies, maxSends] : [Math.max(1, action.copies), Infinity];
          sender.announce(
            { orderId: action.orderId, version, format: action.format, maxSends: sends },
            Array.from({ length: copies }, () => action.delayMs * choose.fraction()),
          );
          return;
        }
        case 'crash':
          pools[action.worker].killAll();
          return;
        case 'freeze':
          for (const process of pools[action.worker].processes()) process.freezeFor(action.ms);
          return;
        case 'skew':
          for (const process of pools[action.worker].processes()) process.skewBy(action.ms);
          return;
        case 'cut':
          faults.cut(action.service, action.ms);
          return;
        case 'slow':
          faults.slow(action.service, action.ms);
          return;
        case 'poison':
          faults.poison(action.api, action.orderId, action.ms);
          return;
        case 'deploy':
          for (const pool of Object.values(pools)) pool.replaceAll();
          return;
        case 'pause':
          pollers.get(resources[action.worker])?.pause(action.ms);
          return;
        case 'replay':
          if (qualia.orders.has(action.orderId)) replay(action.orderId, action.force).catch(() => undefined);
          return;
        case 'redrive':
          aws.redrive();
          return;
        case 'reconcile':
          void pools.reconciler.invoke({});
          return;
      }
    };

    faults.setShare(history.faultShare);
    for (const action of history.actions) {
      scheduler.after(action.atMs, () => {
        trace.add('HISTORY', JSON.stringify(action));
        perform(action);
      });
    }
    for (let hour = 1; hour * hourMs < history.endsAtMs; hour++) {
      scheduler.after(hour * hourMs, () => void pools.reconciler.invoke({}));
    }
    await scheduler.run(startMs + history.endsAtMs);

    trace.add('HISTORY', 'all faults end');
    faults.end();
    const endState = () => ({
      qualia,
      internalApi,
      notified: sender.notified,
      itemOf: aws.itemOf,
      roundsOf: lifecycle.rounds,
      messages: aws.messages(),
      calls: aws.calls(),
      webhooks: sender.counts().webhooks,
    });
    for (let minute = 0; minute < restHours * 60; minute += redriveMinutes) {
      aws.redrive();
      await scheduler.run(now() + redriveMinutes * minuteMs);
    }
    violations.push(...judgeRest(endState()));
    trace.add('HISTORY', 'passes of the reconciler');
    for (let hour = 0; hour < reconciledHours; hour++) {
      aws.redrive();
      void pools.reconciler.invoke({});
      await scheduler.run(now() + hourMs);
    }
    violations.push(...judgeEnd(endState()));
    return {
      seed: history.seed,
      violations,
      traceHash: trace.hash(),
      trace: trace.lines(),
      ...sender.counts(),
      calls: aws.calls(),
      posts: [...qualia.orders.keys()].reduce((sum, id) => sum + internalApi.effects(id).length, 0),
      virtualMs: now() - startMs,
      events: scheduler.events(),
    };
  } finally {
    restore();
  }
};
