import { createHash } from 'node:crypto';
import * as z from 'zod';
import { type LoopbackServer, readBody, serveOnLoopback } from '../emulator/loopback-server';

const messageSchema = z.object({ MessageBody: z.string() });

/** Confirms the webhook's AWS calls without doing anything, so that only the webhook takes time. */
export const startFakeAws = (webhookSecret: unknown): Promise<LoopbackServer> => {
  const answers: Record<string, (body: string) => unknown> = {
    'secretsmanager.GetSecretValue': () => ({ SecretString: JSON.stringify(webhookSecret) }),
    'DynamoDB_20120810.UpdateItem': () => ({}),
    'AmazonSQS.SendMessage': (body) => {
      const { MessageBody } = messageSchema.parse(JSON.parse(body));
      return { MessageId: 'message', MD5OfMessageBody: createHash('md5').update(MessageBody).digest('hex') };
    },
  };
  return serveOnLoopback(async (request, response) => {
    const body = (await readBody(request)).toString();
    const target = String(request.headers['x-amz-target']);
    const answer = answers[target];
    if (!answer) throw new Error(`The webhook was not expected to call ${target}`);
    response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(answer(body)));
  });
};
