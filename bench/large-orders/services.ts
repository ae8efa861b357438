import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { type LoopbackServer, readBody, respond, serveOnLoopback } from '../../emulator/loopback-server';

/** An order, as each service has it. */
export interface ServedOrder {
  readonly orderId: string;
  /** Qualia's response, which is also the stored object. */
  readonly bytes: Buffer;
  readonly s3Key: string;
  /** Its item in the Orders table, in DynamoDB's JSON. */
  readonly item: Readonly<Record<string, unknown>>;
}

const keySchema = z.object({ Key: z.object({ order_id: z.object({ S: z.string() }) }) });
const querySchema = z.object({ variables: z.object({ id: z.string() }) });
const sendSchema = z.object({ Entries: z.array(z.object({ Id: z.string(), MessageBody: z.string() })) });

/** Accepted by every reader of a secret. */
const secret = { username: 'us', password: 'a-long-password', token: 'a-long-token' };
/** Of Qualia and the internal API. */
const latencyMs = 100;

const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

/** AWS, Qualia and the internal API, as far as the workers of an order call them. Nothing fails. */
export const startServices = (orders: readonly ServedOrder[]): Promise<LoopbackServer> => {
  const byId = new Map(orders.map((order) => [order.orderId, order]));
  const byKey = new Map(orders.map((order) => [order.s3Key, order]));
  const calls: Readonly<Record<string, (body: string) => unknown>> = {
    'secretsmanager.GetSecretValue': () => ({ SecretString: JSON.stringify(secret) }),
    'DynamoDB_20120810.GetItem': (body) => ({ Item: byId.get(keySchema.parse(JSON.parse(body)).Key.order_id.S)?.item }),
    'DynamoDB_20120810.UpdateItem': () => ({}),
    'AmazonSQS.ChangeMessageVisibility': () => ({}),
    'AmazonSQS.SendMessageBatch': (body) => ({
      Successful: sendSchema.parse(JSON.parse(body)).Entries.map(({ Id, MessageBody }) => ({
        Id,
        MessageId: Id,
        MD5OfMessageBody: md5(MessageBody),
      })),
    }),
  };
  return serveOnLoopback(async (request, response) => {
    const { method, url = '', headers } = request;
    const body = await readBody(request);
    const call = calls[String(headers['x-amz-target'])];
    if (call) {
      const type = { 'content-type': 'application/x-amz-json-1.0' };
      return respond(response, 200, type, JSON.stringify(call(body.toString())));
    }
    if (url === '/graphql') {
      await sleep(latencyMs);
      const order = byId.get(querySchema.parse(JSON.parse(body.toString())).variables.id);
      return respond(response, 200, { 'content-type': 'application/json' }, order?.bytes ?? '{}');
    }
    if (url === '/orders') {
      await sleep(latencyMs);
      return respond(response, 201, {}, '');
    }
    const stored = byKey.get(decodeURIComponent(url.replace(/^\/raw\/|\?.*$/g, '')));
    if (method === 'PUT') return respond(response, 200, { etag: '"1"' }, '');
    if (stored === undefined) throw new Error(`Not expected: ${method} ${url}`);
    const checksum = createHash('sha256').update(stored.bytes).digest('base64');
    return respond(response, 200, { 'x-amz-checksum-sha256': checksum }, stored.bytes);
  });
};
