import { briefCalls } from '../../shared/aws/clients';
import { createInternalApi } from './apis/internal-api';
import { createQualia } from './apis/qualia';
import { createAws } from './aws';
import { createAwsClient, dyingAfterWrites } from './aws-calls';
import { createHandlers, type ProcessClients, resources, settings } from './composition';
import { createConnection } from './connection';
import { createFaults } from './faults';
import { createFunctionPool, type FunctionPool, type Handler } from './function-pool';
import type { History, Worker } from './history';
import { createLambdaProcess, type LambdaProcess } from './lambda-process';
import { createMessageAgeOracle } from './message-age';
import { createEffectsOracle, createLifecycleOracle, judgeEnd, judgeRest, type Violation } from './oracles';
import { createPerform } from './perform';
import { createPoller, type PollerLimits } from './poller';
import { asEarlier, type Release } from './release';
import { createScheduler } from './scheduler';
import { createTrace } from './trace';
import { installVirtualTime } from './virtual-time';
import { createWebhookSender } from './webhook-sender';
import type { ModelClient } from './world';

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
      isTroubled: faults.isTroubled,
      onDownload: (orderId) => aws.count(orderId),
    });
    const report = (violation: Violation): void => {
      trace.add('ORACLE', `${violation.oracle}: ${violation.about}`);
      violations.push(violation);
    };
    const effects = createEffectsOracle(report);
    const internalApi = createInternalApi({
      now,
      callsPerSecond: settings.callsPerSecond.internalApi,
      choose,
      isTroubled: faults.isTroubled,
      onPost: (orderId) => aws.count(orderId),
      onEffect: effects.check,
    });
    const aws = createAws(scheduler, {
      onOrderWritten: createLifecycleOracle(report),
      onQueueCalled: (queueUrl) => pollers.get(queueUrl)?.poke(),
    });

    const messageAge = createMessageAgeOracle({
      now,
      urls: [resources.download, resources.processing],
      messages: aws.queues.messages,
      report,
    });

    const clientsOf = (
      process: LambdaProcess,
      release: Release = 'present',
      isInterrupted: () => boolean = () => false,
    ): ProcessClients => {
      const options = { scheduler, faults, process, trace };
      const formatted = (client: ModelClient): ModelClient => (release === 'earlier' ? asEarlier(client) : client);
      const sqs = formatted(aws.clients.sqs);
      const dynamodb = formatted(dyingAfterWrites(aws.clients.dynamodb, process, isInterrupted));
      return {
        dynamodb: createAwsClient(options, 'dynamodb', dynamodb),
        sqs: createAwsClient(options, 'sqs', sqs),
        briefSqs: createAwsClient(options, 'sqs', sqs, briefCalls),
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
        create: (process, release) =>
          handlers[name](
            process,
            clientsOf(process, release, () => faults.isInterrupted(name)),
          ) as Handler,
      });
    const pools: Readonly<Record<Worker, FunctionPool>> = {
      webhook: poolOf('webhook', 10_000),
      download: poolOf('download', minuteMs),
      processing: poolOf('processing', minuteMs),
      reconciler: poolOf('reconciler', 15 * minuteMs),
    };
    const pollerOf = (
      name: 'download' | 'processing' | 'reconciler',
      limits: PollerLimits = { batchSize: 1, maxConcurrency: 2 },
    ) => createPoller({ scheduler, queues: aws.queues, queueUrl: resources[name], pool: pools[name], ...limits });
    const pollers = new Map([
      [resources.download as string, pollerOf('download', settings.download)],
      [
        resources.processing as string,
        pollerOf('processing', { ...settings.processing, onReceived: effects.delivered }),
      ],
      [resources.reconciler as string, pollerOf('reconciler')],
    ]);

    const sender = createWebhookSender(scheduler, pools.webhook);
    const operator = createLambdaProcess(scheduler, 'operator');
    const replay = handlers.replay(operator, clientsOf(operator));
    const perform = createPerform({
      scheduler,
      faults,
      qualia,
      internalApi,
      aws,
      pools,
      pollers,
      sender,
      replay,
      abandonReplay: (orderId) => {
        const doomed = createLambdaProcess(scheduler, 'killed operator');
        const replayDoomed = handlers.replay(
          doomed,
          clientsOf(doomed, 'present', () => true),
        );
        // It may fail before it is killed.
        replayDoomed(orderId, false).catch(() => undefined);
      },
    });

    faults.setShare(history.faultShare);
    for (const action of history.actions) {
      scheduler.after(action.atMs, () => {
        trace.add('HISTORY', JSON.stringify(action));
        perform(action);
        messageAge.check();
      });
    }
    for (let hour = 1; hour * hourMs < history.endsAtMs; hour++) {
      scheduler.after(hour * hourMs, () => void pools.reconciler.invoke({}));
    }
    await scheduler.run(startMs + history.endsAtMs);

    trace.add('HISTORY', 'all faults end');
    faults.end();
    for (const pool of Object.values(pools)) pool.deploy('present', 0);
    const endState = () => ({
      qualia,
      internalApi,
      notified: sender.notified,
      itemOf: aws.itemOf,
      messages: aws.messages(),
      calls: aws.calls(),
      callsOf: aws.callsOf,
      webhooks: sender.counts().webhooks,
      webhooksOf: sender.webhooksOf,
    });
    for (let minute = 0; minute < restHours * 60; minute += redriveMinutes) {
      aws.redrive();
      await scheduler.run(now() + redriveMinutes * minuteMs);
      messageAge.check();
    }
    violations.push(...judgeRest(endState()));
    trace.add('HISTORY', 'passes of the reconciler');
    for (let hour = 0; hour < reconciledHours; hour++) {
      aws.redrive();
      void pools.reconciler.invoke({});
      await scheduler.run(now() + hourMs);
      messageAge.check();
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
