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
import { type Books, balance, journalEntrySchema, type Ledger } from './ledger';
import { type Struck, startTroubles } from './troubles';
import { stormyDay } from './webhooks';

export interface StormOptions {
  readonly seed: number;
  readonly orders: number;
  readonly assemblyDirectory: string;
  /** Empty; everything that the storm leaves is there. */
  readonly stateDirectory: string;
  /** When it ends, whatever stands then. */
  readonly deadlineMs: number;
  readonly onProgress: (text: string) => void;
}

export interface StormResult {
  readonly seed: number;
  readonly webhooks: {
    readonly sent: number;
    readonly acknowledged: number;
    /** Hostile ones, as they should be. */
    readonly refused: number;
    /** Answered otherwise than they should be. */
    readonly astray: number;
  };
  /** Orders that Qualia changed and changed back meanwhile, each time with a webhook. */
  readonly changedBack: number;
  readonly ledger: Ledger;
  /** Dead letters that chaos made, and that an operator gave back. */
  readonly redriven: number;
  readonly struck: Struck;
  /** From the first webhook until the last message was gone. */
  readonly seconds: number;
}

const postsSchema = z.object({ posts: z.number() });
const outputsSchema = z.object({ DownloadQueueUrl: z.url(), ProcessingQueueUrl: z.url() });

/** The longest that a message waits: as they are, the waits of the pipeline would make a storm last for hours. */
const longestHiddenSeconds = (orders: number): number => Math.max(1, orders / 4_000);
/** Processes of a Lambda. Each kill ends all of them, and a start costs more than an order. */
const maxConcurrency = 2;
const pollEveryMs = 200;
/** Steps between two troubles, at most: a webhook answered is one, an order posted is one. */
const longestPeace = (orders: number): number => Math.max(100, Math.round(orders / 40));

/** Orders that a call was acknowledged of, and how the calls were answered. */
const readAnswers = (answers: readonly CallAnswer[]) => {
  const acknowledged = answers.filter(({ call, status }) => call.orderId !== undefined && status === 200);
  const refused = answers.filter(({ call, status }) => call.orderId === undefined && status === call.expectedStatus);
  return {
    orderIds: new Set(acknowledged.flatMap(({ call }) => call.orderId ?? [])),
    webhooks: {
      sent: answers.length,
      acknowledged: acknowledged.length,
      refused: refused.length,
      astray: answers.length - acknowledged.length - refused.length,
    },
  };
};

/** Messages that a worker will still process. */
const messagesLeft = async ({ sqs }: StageConnection, queueUrls: readonly string[]): Promise<number> => {
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

/** Gives back every dead letter, as the runbook says. @returns how many */
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

const readBooks = async (
  stage: StageConnection,
  stateDirectory: string,
): Promise<Omit<Books, 'acknowledged' | 'messagesLeft' | 'stale'>> => {
  const documents = DynamoDBDocumentClient.from(stage.dynamodb);
  const orders: Books['orders'][number][] = [];
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
 * Posts webhooks as fast as they are taken, makes trouble meanwhile, lets everything come to rest, gives the dead letters
 * back, and counts.
 *
 * @throws {Error} when a webhook got no answer at all
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
      // Bytes that differ each time, though nothing that is mapped has changed, cost no POST.
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
      forTests: { longestHiddenSeconds: longestHiddenSeconds(orders) },
    });
    stops.unshift(aws.stop);
    const stage = await connectToStage({ stage: 'dev', localStateDirectory: stateDirectory });
    stops.unshift(stage.close);
    const queueUrls = Object.values(outputsSchema.parse(aws.outputs['dev-OrderPipeline']));

    const startedAtMs = Date.now();
    let answered = 0;
    const done = async () => {
      const { posts } = postsSchema.parse(await (await fetch(`${internalApi.controlUrl}/orders`)).json());
      return answered + posts;
    };
    const troubles = await startTroubles({
      aws,
      qualiaUrl: qualia.controlUrl,
      internalApiUrl: internalApi.controlUrl,
      seed,
      done,
      longestPeace: longestPeace(orders),
    });
    const sender = { apiUrl: aws.apiUrl, secret: secrets.WebhookSecret };
    const [answers, changedBack] = await Promise.all([
      postCalls({
        ...sender,
        calls: day.calls,
        onAnswer: () => onProgress(`webhooks answered ${++answered} of ${day.calls.length}`),
      }),
      changeAndChangeBack({ ...sender, qualiaUrl: qualia.controlUrl, orders: day.orders, seed }),
    ]);
    const left = async () => {
      const count = await messagesLeft(stage, queueUrls);
      onProgress(`webhooks answered ${answered} · messages left ${count}`);
      await sleep(count > 0 ? pollEveryMs : 0);
      return count;
    };
    while (inTime() && !troubles.hadAll()) await sleep(pollEveryMs);
    const struck = await troubles.calm();

    let redriven = 0;
    for (let moved = 1; moved > 0 && inTime(); redriven += moved) {
      while (inTime() && (await left()) > 0);
      moved = await redriveAll(stage);
    }
    const { orderIds, webhooks } = readAnswers(answers);
    const books = await readBooks(stage, stateDirectory);
    return {
      seed,
      webhooks,
      changedBack,
      ledger: balance({
        acknowledged: orderIds,
        messagesLeft: await messagesLeft(stage, queueUrls),
        stale: await findStale(books.orders, { qualiaUrl: qualia.controlUrl, internalApiUrl: internalApi.controlUrl }),
        ...books,
      }),
      redriven,
      struck,
      seconds: (Date.now() - startedAtMs) / 1_000,
    };
  } finally {
    for (const stop of stops) await stop();
  }
};
