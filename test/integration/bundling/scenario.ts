/**
 * Makes every call that the Lambdas make, through their own modules. It is loaded twice: with the AWS SDK, and with the
 * clients of the bundles in its place.
 */
import { ConditionalCheckFailedException, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { NoSuchKey, S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SFNClient } from '@aws-sdk/client-sfn';
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient, GetCommand, paginateScan, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { createQueue } from '../../../shared/aws/queue';
import { createQueueDepth } from '../../../shared/aws/queue-depth';
import { createSecret } from '../../../shared/aws/secret';
import { createPassStore, noCounts, type Pass } from '../../../shared/completeness/pass-store';
import { createIssueStore } from '../../../shared/issues/issue-store';
import { createRecordFailures } from '../../../shared/issues/record-failures';
import { createPayloadStore } from '../../../shared/orders/payload-store';
import { createOrderQueries } from '../../../shared/orders/queries';
import { createOrderRepository } from '../../../shared/orders/repository';
import { createRunFolders } from '../../../shared/runs/artifacts';
import { createHasEnded } from '../../../shared/runs/execution-ended';
import { createRunRepository } from '../../../shared/runs/repository';
import { checksum, round as createRound, orderId as orderIdOf, requestId } from '../../support/orders';

/** The resources of a run. */
export interface Place {
  readonly endpoint: string;
  readonly ordersTable: string;
  readonly runsTable: string;
  readonly operationsTable: string;
  readonly bucket: string;
  readonly topicArn: string;
  readonly queueUrl: string;
}

/** What an error looks like to the code that catches it. */
const describeError = (error: unknown) => {
  if (!(error instanceof Error)) throw new Error('Something other than an error was thrown');
  const { $metadata, $fault, Code, Item } = error as Error & Record<string, unknown> & { $metadata?: object };
  const { httpStatusCode, attempts } = { httpStatusCode: undefined, attempts: undefined, ...$metadata };
  return {
    name: error.name,
    message: error.message,
    $fault,
    httpStatusCode,
    attempts,
    Code,
    Item,
    isFailedCondition: error instanceof ConditionalCheckFailedException,
    isNoSuchKey: error instanceof NoSuchKey,
    isS3: error instanceof S3ServiceException,
  };
};

const outcomeOf = (call: Promise<unknown>): Promise<unknown> => call.then((value) => ({ value }), describeError);

const listAll = async <T>(values: AsyncIterable<T>): Promise<T[]> => {
  const list: T[] = [];
  for await (const value of values) list.push(value);
  return list;
};

const nowMs = Date.parse('2026-01-02T03:04:05.678Z');

const visitOrders = async (client: DynamoDBDocumentClient, { ordersTable }: Place) => {
  const repository = createOrderRepository(client, ordersTable);
  const queries = createOrderQueries(client, ordersTable);
  const orderId = orderIdOf('QO-1');
  const round = createRound(nowMs);
  const start = { orderId, round, requestId: requestId(), notificationType: 'order.created', notifiedAtMs: nowMs };
  const download = {
    s3Key: 'raw/QO-1/r1.json',
    checksum: checksum(),
    payloadSizeBytes: 5,
    receiveCount: 1,
    startedAtMs: nowMs,
    downloadedAtMs: nowMs,
  };
  return [
    await repository.read(orderId),
    await repository.startRound(start),
    await repository.startRound(start),
    await repository.recordDownload(orderId, round, download),
    await repository.recordDownload(orderId, round, download),
    await repository.recordDeferral(orderId, round, nowMs),
    await repository.requestRepost(orderId, round, 'token'),
    await repository.recordProcessing(orderId, round, {
      posted: { bodyHash: checksum('body'), fieldDigests: 'd' },
      repost: 'token',
      warnings: [{ code: 'BAD_DATE', field: 'due_date' }],
      receiveCount: 2,
      processedAtMs: nowMs,
    }),
    await repository.startRound({ ...start, orderId: orderIdOf('QO-2') }),
    await repository.recordFailure(orderIdOf('QO-2'), round, {
      code: 'API_REFUSED',
      stage: 'download',
      issueId: '0123abcd',
      message: 'ümläut "quoted" </>',
      receiveCount: 3,
      failedAtMs: nowMs,
    }),
    await repository.read(orderId),
    [...(await queries.readMany([orderId, orderIdOf('QO-none')]))],
    await listAll(queries.listFailed(new Date(nowMs - 1_000))),
    [...(await queries.scanInFlight(undefined)).orders],
  ];
};

const visitRuns = async (client: DynamoDBDocumentClient, { runsTable, operationsTable }: Place) => {
  const runs = createRunRepository(client, runsTable, operationsTable);
  const owner = { run_id: 'netlife_1', execution_arn: 'arn:1' };
  return [
    await runs.read('none'),
    await runs.start({
      input: { run_id: 'netlife_1' },
      executionArn: 'arn:1',
      startedAtMs: nowMs,
      leases: ['netlife/one'],
    }),
    await outcomeOf(
      runs.start({
        input: { run_id: 'netlife_2' },
        executionArn: 'arn:2',
        startedAtMs: nowMs,
        leases: ['netlife/one'],
      }),
    ),
    await runs.enter(owner, 'netlife/one', 'turn', nowMs),
    await outcomeOf(runs.enter({ ...owner, execution_arn: 'arn:2' }, 'netlife/one', 'turn', nowMs)),
    await runs.recordProgress(owner, 'netlife/one', {
      counter: { done: 1.5, total: 12345678901, rate_per_second: 0.1 },
      message: '日本 & <ok>',
      atMs: nowMs,
    }),
    await runs.claimFinish(owner, nowMs),
    await runs.finish(owner, { status: 'SUCCEEDED', message: 'm', reports: ['a', 'b'], finishedAtMs: nowMs }),
    await runs.stop('netlife_1', nowMs),
    await listAll(runs.list()),
  ];
};

/** Attribute types and errors that the repositories do not use. */
const visitItems = async (client: DynamoDBDocumentClient, { ordersTable: TableName }: Place) => {
  const Key = { order_id: 'item' };
  const value = {
    text: '',
    zero: 0,
    big: 2 ** 53 - 1,
    yes: true,
    nothing: null,
    list: [1, 'a', { deep: [] }],
    set: new Set(['x']),
  };
  const update = {
    TableName,
    Key,
    UpdateExpression: 'SET #value = :value',
    ExpressionAttributeNames: { '#value': 'value' },
    ExpressionAttributeValues: { ':value': { ...value, left_out: undefined } },
  };
  const refused = { ...update, ConditionExpression: 'attribute_not_exists(order_id)' };
  return [
    await client.send(new UpdateCommand({ ...update, ReturnValues: 'ALL_NEW' })).then(({ Attributes }) => Attributes),
    await client.send(new GetCommand({ TableName, Key })).then(({ Item }) => Item),
    await outcomeOf(client.send(new UpdateCommand(refused))),
    await outcomeOf(client.send(new GetCommand({ TableName: 'no-such-table', Key }))),
    await outcomeOf(client.send(new GetCommand({ TableName, Key: { wrong: 'key' } }))),
    await outcomeOf(client.send(new UpdateCommand({ ...update, UpdateExpression: 'SET' }))),
    await outcomeOf(client.send(new GetCommand({ TableName, Key: { order_id: new Map() } as never }))),
    (await listAll(paginateScan({ client }, { TableName, Limit: 1 }))).map(({ Count, Items }) => [Count, Items]),
  ];
};

const visitQueues = async (client: SQSClient, { queueUrl }: Place) => {
  const queue = createQueue<object>(client, queueUrl);
  const batch = new SendMessageBatchCommand({
    QueueUrl: queueUrl,
    Entries: [
      { Id: 'a', MessageBody: '{"ä":"&<>\\u0007"}' },
      { Id: 'b', MessageBody: 'b', DelaySeconds: 1 },
    ],
  });
  return [
    await queue.send({ order_id: 'QO-1', text: 'ümläut "quoted" </>' }),
    await queue.send({ late: true }, 900),
    await client.send(batch).then(({ Successful = [], Failed = [] }) => [Successful.map(({ Id }) => Id), Failed]),
    await createQueueDepth(client, queueUrl)(),
    await outcomeOf(queue.hideFor('no-such-receipt-handle', 10)),
    await outcomeOf(createQueue(client, `${queueUrl}-missing`).send({})),
    await outcomeOf(queue.send({}, 901)),
  ];
};

const visitTopics = async (client: SNSClient, { topicArn }: Place) => {
  const publish = (arn: string) =>
    client.send(new PublishCommand({ TopicArn: arn, Subject: 'A & B = "C"', Message: 'ümläut\n+ <ok> 日本 ~*()' }));
  return [
    await publish(topicArn).then(({ MessageId }) => typeof MessageId),
    await outcomeOf(publish(`${topicArn}-missing`)),
  ];
};

const visitIssues = async (client: DynamoDBDocumentClient, { operationsTable }: Place) => {
  const store = createIssueStore(client, operationsTable);
  const group = {
    issueId: '0123abcd',
    count: 2,
    sample: orderIdOf('QO-1'),
    firstFailedAtMs: nowMs,
    cause: { worker: 'download', code: 'BAD_ANSWER', statusCode: 200, detail: 'properties.city' } as const,
  };
  const write = { writeId: 'w', release: '1.0.0 (abc)', atMs: nowMs };
  await createRecordFailures(client, operationsTable)(group, write);
  await createRecordFailures(client, operationsTable)(group, write);
  return [await store.resolve('0123abcd', 'quiet', nowMs), await store.list(nowMs), await store.get('0123abcd')];
};

const visitSecrets = async (client: SecretsManagerClient) => {
  const schema = z.object({ username: z.string(), password: z.string() });
  const read = (secretId: string) => createSecret({ client, secretId, schema, now: () => nowMs }).get();
  const cause = (error: unknown) => describeError((error as Error).cause);
  return [await read('qualia'), await read('missing').catch(cause)];
};

const visitExecutions = async (client: SFNClient) => {
  const hasEnded = createHasEnded(client);
  const arnOf = (name: string) => `arn:aws:states:us-east-1:000000000000:execution:m:${name}`;
  return [await hasEnded(arnOf('ended')), await hasEnded(arnOf('none'))];
};

const visitBuckets = async (client: S3Client, { bucket }: Place) => {
  const payloads = createPayloadStore(client, bucket);
  const passes = createPassStore(client, bucket);
  const folder = createRunFolders(client, bucket)('run 1+x');
  const bytes = Buffer.from('{"order":"ü"}');
  const id = orderIdOf("QO-1 a+b!*'()é");
  const walk = { position: 0, stepsBack: 0, longestPage: 0, firstId: null, pagesWithNews: 0, pagesWithoutNews: 0 };
  const pass: Pass = {
    header: {
      format: 1,
      id: 'p',
      started_at_ms: 1,
      saved_at_ms: 2,
      continues: false,
      is_endless: false,
      judged: 0,
      walk: { ...walk, withStatus: false },
      counts: noCounts,
    },
    open: new Map(),
    closed: new Map(),
  };
  const etag = await passes.save('current', pass, undefined);

  const line = `${'x'.repeat(1_000)}\n`;
  const writer = folder.openWriter('parts/large.csv');
  for (let written = 0; written < 7 * 1024; written++) await writer.write(line);
  const unfinished = writer.pause();
  await folder.openWriter('parts/large.csv', unfinished).close();
  const aborted = folder.openWriter('parts/aborted.csv');
  for (let written = 0; written < 7 * 1024; written++) await aborted.write(line);
  const { uploadId } = aborted.pause();
  await aborted.abort();
  for (let part = 0; part < 3; part++) await folder.putOnce(`parts/${part} & <x>`, '');

  let largeBytes = 0;
  for await (const chunk of folder.readBytes('parts/large.csv')) largeBytes += chunk.length;
  return [
    etag,
    await passes.load('current'),
    await passes.load('last'),
    await passes.save('current', pass, '"another"'),
    await passes.save('current', pass, undefined),
    await payloads.keep(id, createRound(nowMs), bytes),
    await payloads.keep(id, createRound(nowMs), Buffer.from('other')),
    await payloads.load(`raw/${id}/${createRound(nowMs)}.json`).then(String),
    await payloads.keepRejected(id, createRound(nowMs), bytes),
    await outcomeOf(payloads.load('raw/none').catch((error: Error) => Promise.reject(error.cause))),
    await folder.readText('none'),
    await outcomeOf(folder.openWriter('parts/aborted.csv', { uploadId, etags: ['"e"'], rest: '' }).close()),
    await outcomeOf(createPayloadStore(client, 'no-such-bucket').keepRejected(id, createRound(nowMs), bytes)),
    [...(await folder.list('parts/'))],
    largeBytes,
  ];
};

/** @returns everything that the calls returned or threw */
export const runScenario = async (place: Place) => {
  const options = { endpoint: place.endpoint, region: 'us-east-1' };
  const documents = DynamoDBDocumentClient.from(new DynamoDBClient(options), {
    marshallOptions: { removeUndefinedValues: true },
  });
  return {
    orders: await visitOrders(documents, place),
    runs: await visitRuns(documents, place),
    items: await visitItems(documents, place),
    queues: await visitQueues(new SQSClient(options), place),
    topics: await visitTopics(new SNSClient(options), place),
    issues: await visitIssues(documents, place),
    executions: await visitExecutions(new SFNClient(options)),
    secrets: await visitSecrets(new SecretsManagerClient(options)),
    buckets: await visitBuckets(new S3Client(options), place),
  };
};
