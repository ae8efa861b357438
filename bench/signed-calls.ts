/**
 * The floor of a cold start: the three calls of a webhook, signed by hand, and nothing else. No validation, no retries, no
 * timeouts, no checksums, no logs, no metrics.
 */
import { createHash, createHmac } from 'node:crypto';
import { request } from 'node:https';

const {
  AWS_ENDPOINT_URL = '',
  AWS_ACCESS_KEY_ID = '',
  AWS_SECRET_ACCESS_KEY = '',
  DOWNLOAD_QUEUE_URL = '',
} = process.env;
const region = 'us-east-1';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

const call = (service: string, version: string, target: string, input: unknown): Promise<string> =>
  new Promise((resolve, reject) => {
    const { host, hostname, port } = new URL(AWS_ENDPOINT_URL);
    const body = JSON.stringify(input);
    const at = new Date().toISOString().replace(/[:-]|\.\d{3}/g, '');
    const scope = `${at.slice(0, 8)}/${region}/${service}/aws4_request`;
    const names = 'host;x-amz-date;x-amz-target';
    const canonical = `POST\n/\n\nhost:${host}\nx-amz-date:${at}\nx-amz-target:${target}\n\n${names}\n${sha256(body)}`;
    const key = scope.split('/').reduce<string | Buffer>(hmac, `AWS4${AWS_SECRET_ACCESS_KEY}`);
    const signature = hmac(key, `AWS4-HMAC-SHA256\n${at}\n${scope}\n${sha256(canonical)}`).toString('hex');
    const headers = {
      host,
      'content-type': `application/x-amz-json-${version}`,
      'content-length': Buffer.byteLength(body),
      'x-amz-date': at,
      'x-amz-target': target,
      authorization: `AWS4-HMAC-SHA256 Credential=${AWS_ACCESS_KEY_ID}/${scope}, SignedHeaders=${names}, Signature=${signature}`,
    };
    request({ method: 'POST', hostname, port, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => (response.statusCode === 200 ? resolve(text) : reject(new Error(text))));
    })
      .on('error', reject)
      .end(body);
  });

/** Fetches the secret, writes the item, sends the message. */
export const handler = async ({ body }: { readonly body: string }) => {
  await call('secretsmanager', '1.1', 'secretsmanager.GetSecretValue', { SecretId: 'webhook' });
  await call('dynamodb', '1.0', 'DynamoDB_20120810.UpdateItem', {
    TableName: 'orders',
    Key: { order_id: { S: 'QO-1' } },
  });
  await call('sqs', '1.0', 'AmazonSQS.SendMessage', { QueueUrl: DOWNLOAD_QUEUE_URL, MessageBody: body });
  return { statusCode: 200, body: '' };
};
