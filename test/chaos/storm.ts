import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient, paginateScan } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { startEmbeddedAws } from '../../emulator/embedded-aws';
import { startInternalApiSimulator } from '../../local/simulators/internal-api';
import { startQualiaSimulator } from '../../local/simulators/qualia';
import { type CallAnswer, postCalls } from '../../local/start/post-calls';
import { readSecretsFile } from '../../local/start/secrets-file';
import { createDeadLetterService, workerNames } from '../../ops/services/dead-letters';
import { connectToStage, type StageConnection } from '../../ops/services/stage-connection';
import { readItem } from '../../shared/orders/repository';
import { findStale } from '../support/newest-state';
import { changeAndChangeBack } from './changes';
import { type DisturbanceCounts, startDisturbances } from './disturbances';
import { balance, type FinalState, journalEntrySchema, type Ledger } from './ledger';
import { stormyDay } from './webhooks';

export interface StormOptions {
  readonly seed: number;
  readonly orders: number;
  readonly assemblyDirectory: string;
  /** An empty folder for the state of the embedded AWS and the simulators. */
  readonly stateDirectory: string;
  /** Ends the storm, even if orders are still in progress. Epoch ms. */
  readonly deadlineMs: number;
  readonly onProgress: (text: string) => void;
}

export interface StormResult {
  readonly seed: number;
  readonly webhooks: {
    readonly sent: number;
    readonly acknowledged: number;
    /** Hostile webhooks that got the expected error. */
    readonly refused: number;
    /** Webhooks that got any other response. */
    readonly unexpected: number;
  };
  /** Number of orders that were changed at Qualia and changed back during the storm, each time with a webhook. */
  readonly changedBack: number;
  readonly ledger: Ledger;
  /** Number of dead letters that were redriven. */
  readonly redriven: number;
  readonly disturbances: DisturbanceCounts;
  /** From the first webhook until the queues were empty. */
  readonly seconds: number;
}

const postsSchema = z.object({ posts: z.number() });
const outputsSchema = z.object({ DownloadQueueUrl: z.url(), ProcessingQueueUrl: z.url() });

/** Maximum time that a message is hidden. With the pipeline's real backoff, a storm would last for hours. */
const maxHiddenSeconds = (orders: number): number => Math.max(1, orders / 4_000);
/** Processes per Lambda. A kill ends all of them, and starting one takes longer than processing an order. */
const maxConcurrency = 2;
const pollIntervalMs = 200;
/** Maximum number of steps between two disturbances. A step is a response to a webhook, or a posted order. */
const maxSteps = (orders: number): number => Math.max(100, Math.round(orders / 40));

/** The ids of acknowledged orders, and the number of webhooks by kind of response. */
const summarizeResponses = (responses: readonly CallAnswer[]) => {
  const acknowledged = responses.filter(({ call, status }) => call.orderId !== undefined && status === 200);
  const refused = responses.filter(({ call, status }) => call.orderId === undefined && status === call.expectedStatus);
  return {
    orderIds: new Set(acknowledged.flatMap(({ call }) => call.orderId ?? [])),
    webhooks: {
      sent: responses.length,
      acknowledged: acknowledged.length,
      refused: refused.length,
      unexpected: responses.length - acknowledged.length - refused.length,
    },
  };
};

/** Number of messages in the queues: visible, in flight and delayed. */
const countMessages = async ({ sqs }: StageConnection, queueUrls: readonly string[]): Promise<number> => {
  const names = [
    'ApproximateNumberOfMessages',
    'ApproximateNumberOfMessagesNotVisible',
    'ApproximateNumberOfMessagesDelayed',
  ] as const;
  const counts = await Promise.all(
    queueUrls.map(async (QueueUrl) => {
      const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [...names] }));
      return names.reduce((sum, name) => sum + Number(Attributes?.[name] ?? 0), 0);
    }),
  );
  return counts.reduce((sum, count) => sum + count, 0);
};

/** Redrives every dead letter. @returns their number */
const redriveAll = async (stage: StageConnection): Promise<number> => {
  const deadLetters = createDeadLetterService(stage);
  let moved = 0;
  for (const worker of workerNames) {
    if ((await deadLetters.inspect(worker)).messages === 0) continue;
    for await (const redrive of deadLetters.redrive(worker)) {
      if (redrive.status === 'COMPLETED') moved += redrive.moved;
    }
  }
  return moved;
};

const readFinalState = async (
  stage: StageConnection,
  stateDirectory: string,
): Promise<Omit<FinalState, 'acknowledged' | 'messagesLeft' | 'stale'>> => {
  const documents = DynamoDBDocumentClient.from(stage.dynamodb);
  const orders: FinalState['orders'][number][] = [];
  for await (const { Items = [] } of paginateScan({ client: documents }, { TableName: stage.ordersTableName }))
    orders.push(...Items.map(readItem));
  const journal = readFileSync(path.join(stateDirectory, 'internal-api.ndjson'), 'utf8')
    .split('\n')
    .flatMap((line) => (line === '' ? [] : journalEntrySchema.parse(JSON.parse(line))));
  const letters = await createDeadLetterService(stage).list();
  const deadLetters = letters.flatMap(({ peeked }) => peeked.map(({ message }) => message?.order_id ?? 'unknown'));
  return { orders, journal, deadLetters };
};

/**
 * Posts webhooks as fast as the pipeline responds while it is disturbed, waits until the queues are empty, redrives the
 * dead letters, and counts the orders by their final state.
 *
 * @throws {Error} if a webhook got no response at all
 */
export const runStorm = async (options: StormOptions): Promise<StormResult> => {
  const { seed, orders, stateDirectory, deadlineMs, onProgress } = options;
  const inTime = () => Date.now() < deadlineMs;
  const secretsFile = path.join(stateDirectory, 'secrets.json');
  const secrets = readSecretsFile(secretsFile);
  const day = stormyDay(orders, seed);

  const stops: (() => Promise<void> | void)[] = [];
  try {
    const qualia = await startQualiaSimulator({
      credentials: secrets.QualiaSecret,
      orders: day.orders,
      // The bytes differ at each download, but the mapped order does not, so they must cause no further POST.
      answersDiffer: true,
    });
    stops.unshift(qualia.stop);
    const internalApi = await startInternalApiSimulator({
      credentials: secrets.InternalApiSecret,
      stateFolder: stateDirectory,
    });
    stops.unshift(internalApi.stop);
    const aws = await startEmbeddedAws({
      assemblyDirectory: options.assemblyDirectory,
      stateDirectory,
      secretsFile,
      environmentOverrides: { QUALIA_API_URL: qualia.url, INTERNAL_API_URL: internalApi.url },
      maxConcurrency,
      forTests: { longestHiddenSeconds: maxHiddenSeconds(orders) },
    });
    stops.unshift(aws.stop);
    const stage = await connectToStage({ stage: 'dev', localStateDirectory: stateDirectory });
    stops.unshift(stage.close);
    stage.changes.open();
    const queueUrls = Object.values(outputsSchema.parse(aws.outputs['dev-OrderPipeline']));

    const startedAtMs = Date.now();
    let responded = 0;
    const countSteps = async () => {
      const { posts } = postsSchema.parse(await (await fetch(`${internalApi.controlUrl}/orders`)).json());
      return responded + posts;
    };
    const disturbances = await startDisturbances({
      aws,
      qualiaUrl: qualia.controlUrl,
      internalApiUrl: internalApi.controlUrl,
      seed,
      countSteps,
      maxSteps: maxSteps(orders),
    });
    const sender = { apiUrl: aws.apiUrl, secret: secrets.WebhookSecret };
    const [responses, changedBack] = await Promise.all([
      postCalls({
        ...sender,
        calls: day.calls,
        onAnswer: () => onProgress(`responses to webhooks ${++responded} of ${day.calls.length}`),
      }),
      changeAndChangeBack({ ...sender, qualiaUrl: qualia.controlUrl, orders: day.orders, seed }),
    ]);
    const pollMessages = async () => {
      const count = await countMessages(stage, queueUrls);
      onProgress(`responses to webhooks ${responded} · messages left ${count}`);
      await sleep(count > 0 ? pollIntervalMs : 0);
      return count;
    };
    while (inTime() && !disturbances.allOccurred()) await sleep(pollIntervalMs);
    const disturbanceCounts = await disturbances.stop();

    let redriven = 0;
    for (let moved = 1; moved > 0 && inTime(); redriven += moved) {
      while (inTime() && (await pollMessages()) > 0);
      moved = await redriveAll(stage);
    }
    const { orderIds, webhooks } = summarizeResponses(responses);
    const finalState = await readFinalState(stage, stateDirectory);
    return {
      seed,
      webhooks,
      changedBack,
      ledger: balance({
        acknowledged: orderIds,
        messagesLeft: await countMessages(stage, queueUrls),
        stale: await findStale(finalState.orders, {
          qualiaUrl: qualia.controlUrl,
          internalApiUrl: internalApi.controlUrl,
        }),
        ...finalState,
      }),
      redriven,
      disturbances: disturbanceCounts,
      seconds: (Date.now() - startedAtMs) / 1_000,
    };
  } finally {
    for (const stop of stops) await stop();
  }
};
