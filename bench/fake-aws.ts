import { createHash } from 'node:crypto';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import * as z from 'zod';
import { type Listener, type LoopbackServer, readBody, serveOnLoopback } from '../emulator/loopback-server';
import { selfSigned } from './self-signed';

const messageSchema = z.object({ MessageBody: z.string() });

/** Responds to the webhook's AWS calls without doing any work, so that only the webhook takes time. */
const createListener = (webhookSecret: unknown): Listener => {
  const responses: Record<string, (body: string) => unknown> = {
    'secretsmanager.GetSecretValue': () => ({ SecretString: JSON.stringify(webhookSecret) }),
    'DynamoDB_20120810.UpdateItem': () => ({}),
    'AmazonSQS.SendMessage': (body) => {
      const { MessageBody } = messageSchema.parse(JSON.parse(body));
      return { MessageId: 'message', MD5OfMessageBody: createHash('md5').update(MessageBody).digest('hex') };
    },
  };
  return async (request, response) => {
    const body = (await readBody(request)).toString();
    const target = String(request.headers['x-amz-target']);
    const respond = responses[target];
    if (!respond) throw new Error(`The webhook was not expected to call ${target}`);
    response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(respond(body)));
  };
};

/** A fake AWS without TLS. */
export const startFakeAws = (webhookSecret: unknown): Promise<LoopbackServer> =>
  serveOnLoopback(createListener(webhookSecret));

/** A fake AWS with TLS, like the real one, and the certificate that its clients must trust. */
export const startTlsFakeAws = async (
  webhookSecret: unknown,
): Promise<{ readonly url: string; readonly certificate: string; stop(): Promise<void> }> => {
  const { key, cert } = selfSigned('localhost');
  const listener = createListener(webhookSecret);
  const server = createServer({ key, cert }, (request, response) => {
    listener(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `https://localhost:${(server.address() as AddressInfo).port}`,
    certificate: cert,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
