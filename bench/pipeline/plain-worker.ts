/**
 * The two order workers as a plain program with the AWS SDK: one process, one message at a time, no batches, no retries
 * of its own. It makes the same calls and leaves the same items, objects and orders. It is the peer of
 * `plain_worker_ratio`.
 */
import { createHash } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { DeleteMessageCommand, ReceiveMessageCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { bodyHashOf } from '../../shared/internal-api/body';
import { idempotencyKeyOf } from '../../shared/internal-api/idempotency-key';
import { mapOrder } from '../../shared/internal-api/mapping';
import { downloadMessageSchema, processingMessageSchema } from '../../shared/orders/message';
import { readOrder } from '../../shared/qualia/order';
import { orderQuery } from '../../shared/qualia/query';

/** Its environment variables. */
const settings = z
  .object({
    DOWNLOAD_QUEUE_URL: z.string(),
    PROCESSING_QUEUE_URL: z.string(),
    ORDERS_TABLE: z.string(),
    RAW_BUCKET: z.string(),
    QUALIA_API_URL: z.string(),
    QUALIA_AUTHORIZATION: z.string(),
    INTERNAL_API_URL: z.string(),
    INTERNAL_API_AUTHORIZATION: z.string(),
  })
  .parse(process.env);

const sqs = new SQSClient();
const s3 = new S3Client({ forcePathStyle: true });
const dynamodb = DynamoDBDocumentClient.from(new DynamoDBClient());
const json = { 'content-type': 'application/json' };

/** Handles the next message of a queue, if there is one, and deletes it. */
const handleNext = async (queueUrl: string, handle: (message: unknown) => Promise<void>): Promise<void> => {
  const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 1 }));
  for (const { Body = '', ReceiptHandle } of Messages) {
    await handle(JSON.parse(Body));
    await sqs.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle }));
  }
};

/** Records the next status of an order, unless another round has begun. */
const update = (order_id: string, round: string, status: string, timeField: string) =>
  dynamodb.send(
    new UpdateCommand({
      TableName: settings.ORDERS_TABLE,
      Key: { order_id },
      UpdateExpression: 'SET #status = :status, #time = :time',
      ConditionExpression: '#round = :round',
      ExpressionAttributeNames: { '#status': 'status', '#time': timeField, '#round': 'round' },
      ExpressionAttributeValues: { ':status': status, ':time': new Date().toISOString(), ':round': round },
    }),
  );

const post = async (url: string, headers: Readonly<Record<string, string>>, body: string): Promise<Buffer> => {
  const response = await fetch(url, { method: 'POST', headers: { ...json, ...headers }, body });
  if (!response.ok) throw new Error(`${url} responded with ${response.status}`);
  return Buffer.from(await response.arrayBuffer());
};

const download = async (received: unknown): Promise<void> => {
  const message = downloadMessageSchema.parse(received);
  const { order_id, round } = message;
  const bytes = await post(
    settings.QUALIA_API_URL,
    { authorization: settings.QUALIA_AUTHORIZATION },
    JSON.stringify({ query: orderQuery, variables: { id: order_id } }),
  );
  const s3_key = `plain/${order_id}/${round}.json`;
  await s3.send(new PutObjectCommand({ Bucket: settings.RAW_BUCKET, Key: s3_key, Body: bytes }));
  await update(order_id, round, 'DOWNLOADED', 'downloaded_at');
  const checksum = createHash('sha256').update(bytes).digest('hex');
  const MessageBody = JSON.stringify({ ...message, s3_key, checksum });
  await sqs.send(new SendMessageCommand({ QueueUrl: settings.PROCESSING_QUEUE_URL, MessageBody }));
};

const deliver = async (received: unknown): Promise<void> => {
  const { order_id, round, request_id, s3_key } = processingMessageSchema.parse(received);
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: settings.RAW_BUCKET, Key: s3_key }));
  const downloaded = Body && readOrder(await Body.transformToByteArray());
  if (!downloaded) throw new Error(`${s3_key} has no order`);
  const mapping = mapOrder(downloaded);
  if (mapping.kind !== 'mapped') throw new Error(`${s3_key} cannot be mapped`);
  const { order } = mapping;
  const bodyHash = bodyHashOf(order);
  await post(
    settings.INTERNAL_API_URL,
    {
      authorization: settings.INTERNAL_API_AUTHORIZATION,
      'idempotency-key': idempotencyKeyOf({ orderId: order_id, round, bodyHash, repost: undefined }),
      'x-request-id': request_id,
      'x-order-round': round,
    },
    JSON.stringify(order),
  );
  await update(order_id, round, 'PROCESSED', 'processed_at');
};

const main = async (): Promise<never> => {
  for (;;) {
    await handleNext(settings.DOWNLOAD_QUEUE_URL, download);
    await handleNext(settings.PROCESSING_QUEUE_URL, deliver);
  }
};

// The parent has ended.
process.once('disconnect', () => process.exit());
void main();
