import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import { Webhook } from 'standardwebhooks';
import { sampleOrder } from '../../../samples/orders';
import { target } from './target';

/** The pipeline from the outside: only HTTP and AWS APIs. */
const { apiUrl, endpoints, outputs, simulators } = target();

export const clientConfig = (service: string) => {
  const endpoint = endpoints[service];
  if (endpoint === undefined) return {};
  return { endpoint, region: 'us-east-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' } };
};

export const sqs = new SQSClient(clientConfig('sqs'));
export const s3 = new S3Client({ ...clientConfig('s3'), forcePathStyle: true });
export const lambda = new LambdaClient(clientConfig('lambda'));
const documents = DynamoDBDocumentClient.from(new DynamoDBClient(clientConfig('dynamodb')));
const secretsManager = new SecretsManagerClient(clientConfig('secretsmanager'));

const webhookSecret = async () => {
  const { SecretString = '' } = await secretsManager.send(
    new GetSecretValueCommand({ SecretId: outputs.WebhookSecretArn }),
  );
  return JSON.parse(SecretString) as {
    readonly basic: [{ readonly username: string; readonly password: string }];
    readonly signing_secrets: [string];
  };
};

export interface ApiResponse {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

/** Calls the HTTP API. */
export const call = async (path: string, init: RequestInit = {}): Promise<ApiResponse> => {
  const response = await fetch(`${apiUrl}${path}`, init);
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? {} : JSON.parse(text) };
};

const json = { 'content-type': 'application/json' };

export const basicAuthorization = async (): Promise<string> => {
  const { username, password } = (await webhookSecret()).basic[0];
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
};

/** Posts a webhook with HTTP Basic authentication. A string is sent unchanged. */
export const post = async (body: unknown, headers: Record<string, string> = {}): Promise<ApiResponse> =>
  call('/webhooks/qualia', {
    method: 'POST',
    headers: { ...json, authorization: await basicAuthorization(), ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });

/** Posts a webhook with a Standard Webhooks signature. */
export const postSigned = async (body: unknown, signedAt = new Date()): Promise<ApiResponse> => {
  const text = JSON.stringify(body);
  const id = `msg_${randomUUID()}`;
  return call('/webhooks/qualia', {
    method: 'POST',
    headers: {
      ...json,
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(signedAt.getTime() / 1_000)),
      'webhook-signature': new Webhook((await webhookSecret()).signing_secrets[0]).sign(id, signedAt, text),
    },
    body: text,
  });
};

const control = async (url: string, method = 'GET', body?: unknown): Promise<unknown> => {
  const response = await fetch(url, { method, ...(body !== undefined && { body: JSON.stringify(body) }) });
  return response.ok ? response.json() : undefined;
};

/** The posts of an order at the internal API, and its newest body. */
export const internalOrder = (orderId: string) =>
  control(`${simulators.internalApi}/orders/${orderId}`) as Promise<Record<string, unknown> | undefined>;

export const setQualiaFaults = (faults: readonly Record<string, unknown>[]) =>
  control(`${simulators.qualia}/faults`, 'PUT', faults);

let next = 0;

/** Keeps orders out of Qualia's list of open orders: another test may run the reconciler before the webhook arrives. */
const completed = { status: 'Completed', status_details: { open: false, completed: true } };

/** Creates an order at Qualia with a unique ID. Default: a completed order. @returns the order */
export const orderAtQualia = async (change: Record<string, unknown> = {}) => {
  const order = { ...sampleOrder(next++), ...completed, _id: `QO-${randomUUID()}`, ...change };
  order.order_number = `N-${order._id}`;
  await control(`${simulators.qualia}/orders`, 'POST', [order]);
  return order;
};

export const changeAtQualia = (orderId: string, change: Record<string, unknown>) =>
  control(`${simulators.qualia}/orders/${orderId}`, 'PATCH', change);

export const readOrder = async (orderId: string): Promise<Record<string, unknown> | undefined> => {
  const key = { TableName: outputs.OrdersTableName, Key: { order_id: orderId }, ConsistentRead: true };
  return (await documents.send(new GetCommand(key))).Item;
};

/** How long a test waits for something that should happen at once: a busy machine is not an error. */
const patienceMs = 120_000;

/** Calls `poll` until it returns a value. @throws {Error} after {@link patienceMs} */
export const eventually = async <T>(what: string, poll: () => Promise<T | undefined>): Promise<T> => {
  const deadlineMs = Date.now() + patienceMs;
  for (;;) {
    const value = await poll();
    if (value !== undefined) return value;
    if (Date.now() > deadlineMs) throw new Error(`Timed out waiting for ${what}`);
    await sleep(50);
  }
};

/** Waits until an order is closed, in a round other than `notRound`. */
export const closedOrder = (orderId: string, notRound?: unknown): Promise<Record<string, unknown>> =>
  eventually(`order ${orderId} closed`, async () => {
    const order = await readOrder(orderId);
    const closed = order?.status === 'PROCESSED' || order?.status === 'FAILED';
    return closed && order?.round !== notRound ? order : undefined;
  });

export const notification = (orderId: string, at = new Date()) => ({
  order_id: orderId,
  notification_type: 'order.updated',
  timestamp: at.toISOString(),
});

export const activity = (orderId: string) => ({ type: 'order_request', order_id: orderId, description: 'New order' });
