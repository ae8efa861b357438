import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';
import type { MixedDay } from '../local/sample/day';
import { mixedDay } from '../local/sample/day';
import { signedHeaders, type WebhookSecret } from '../samples/authentication';

/** The secret of the benchmarks. */
export const benchSecret: WebhookSecret = {
  basic: [{ username: 'qualia', password: 'a password for measuring' }],
  signing_secrets: [`whsec_${Buffer.from('a key of 24 bytes or so.').toString('base64')}`],
};

/** A day of `orders` plain orders without faults. */
export const cleanDay = (orders: number, firstOrder = 0): MixedDay =>
  mixedDay({ orders, firstOrder, seed: firstOrder + 1, nowMs: Date.now(), stories: [], bad: [] });

/** The webhook events of a clean day, in the HTTP API's format. */
export const webhookEvents = (orders: number): readonly APIGatewayProxyEventV2[] =>
  cleanDay(orders).calls.map((call) => ({
    version: '2.0',
    routeKey: '$default',
    rawPath: call.path,
    rawQueryString: '',
    headers: signedHeaders(call, benchSecret, Date.now()),
    requestContext: {
      accountId: '000000000000',
      apiId: 'api',
      domainName: 'api.example',
      domainPrefix: 'api',
      http: {
        method: call.method,
        path: call.path,
        protocol: 'HTTP/1.1',
        sourceIp: '203.0.113.7',
        userAgent: 'Qualia',
      },
      requestId: 'gateway-request',
      routeKey: '$default',
      stage: '$default',
      time: '01/Jan/2026:00:00:00 +0000',
      timeEpoch: 1_767_225_600_000,
    },
    body: call.body,
    isBase64Encoded: false,
  }));

/** The context of an invocation. */
export const invocationContext: Context = {
  callbackWaitsForEmptyEventLoop: true,
  functionName: 'dev-marketplace-webhook',
  functionVersion: '$LATEST',
  invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:dev-marketplace-webhook',
  memoryLimitInMB: '512',
  awsRequestId: '00000000-0000-4000-8000-000000000000',
  logGroupName: '/aws/lambda/dev-marketplace-webhook',
  logStreamName: 'stream',
  getRemainingTimeInMillis: () => 10_000,
  done: () => undefined,
  fail: () => undefined,
  succeed: () => undefined,
};
