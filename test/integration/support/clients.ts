import { Readable } from 'node:stream';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { makeCall } from './interceptor';
import { traceOfThisInvocation } from './invocation-trace';

const endpointsSchema = z.object({
  dynamodb: z.url(),
  sqs: z.url(),
  s3: z.url(),
  secretsManager: z.url(),
});

/** The ids in a response to `SendMessage` or `SendMessageBatch`. */
interface SentOutput {
  readonly MessageId?: string;
  readonly Successful?: readonly { readonly MessageId?: string }[];
}

/** The one topic of the embedded AWS. */
export const topicName = 'notifications';

/** The endpoints of the embedded AWS. */
export const readEndpoints = () => endpointsSchema.parse(JSON.parse(process.env.INTEGRATION_ENDPOINTS ?? 'null'));

/** Clients of the embedded AWS. */
export const createClients = () => {
  const endpoints = readEndpoints();
  const common = { region: 'us-east-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' } };
  const dynamodb = new DynamoDBClient({ ...common, endpoint: endpoints.dynamodb });
  const clients = {
    dynamodb,
    documents: DynamoDBDocumentClient.from(dynamodb, { marshallOptions: { removeUndefinedValues: true } }),
    sqs: new SQSClient({ ...common, endpoint: endpoints.sqs }),
    s3: new S3Client({ ...common, endpoint: endpoints.s3 }),
    secretsManager: new SecretsManagerClient({ ...common, endpoint: endpoints.secretsManager }),
  };
  return {
    ...clients,
    destroy: (): void => {
      for (const client of Object.values(clients)) client.destroy();
    },
  };
};

export type Clients = ReturnType<typeof createClients>;

/** Clients for Lambdas. Every call goes through `makeCall`. Messages are never hidden or delayed; the waits are recorded. */
export const createLambdaClients = () => {
  const clients = createClients();
  const { dynamodb, sqs, s3, secretsManager } = clients;
  /** The requested waits, in sequence. */
  const waitsSeconds: number[] = [];
  /** The requested waits by receipt handle, or by the id of the message that was sent. */
  const waitSecondsOf = new Map<string, number>();
  /** The ids of the messages that were sent. */
  const sentIds = new Set<string>();
  sqs.middlewareStack.add(
    (next) => async (args) => {
      const input = args.input as { VisibilityTimeout?: number; DelaySeconds?: number; ReceiptHandle?: string };
      const waitSeconds = input.VisibilityTimeout ?? input.DelaySeconds;
      if (waitSeconds !== undefined) waitsSeconds.push(waitSeconds);
      if (input.VisibilityTimeout !== undefined) input.VisibilityTimeout = 0;
      if (input.DelaySeconds !== undefined) input.DelaySeconds = 0;
      const result = await next(args);
      const { MessageId: sentId, Successful: sent = [] } = result.output as SentOutput;
      for (const { MessageId } of [{ MessageId: sentId }, ...sent]) {
        if (MessageId !== undefined) sentIds.add(MessageId);
      }
      const key = input.ReceiptHandle ?? sentId;
      if (waitSeconds !== undefined && key !== undefined) waitSecondsOf.set(key, waitSeconds);
      return result;
    },
    { step: 'initialize' },
  );
  sqs.middlewareStack.add(
    (next) => (args) => {
      const trace = traceOfThisInvocation();
      const { headers } = args.request as { headers: Record<string, string> };
      if (trace !== undefined) headers['X-Amzn-Trace-Id'] = trace;
      return next(args);
    },
    { step: 'build' },
  );
  const outermost = { step: 'initialize', priority: 'high' } as const;
  const nameOf = ({ commandName }: { commandName?: string }): string => commandName?.replace(/Command$/, '') ?? '';
  dynamodb.middlewareStack.add((next, context) => (args) => makeCall(nameOf(context), () => next(args)), outermost);
  sqs.middlewareStack.add((next, context) => (args) => makeCall(nameOf(context), () => next(args)), outermost);
  s3.middlewareStack.add((next, context) => (args) => makeCall(nameOf(context), () => next(args)), outermost);
  // After a simulated crash, nobody reads the object to its end. Its error must not end the process of the test.
  s3.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      if ('Body' in result.output && result.output.Body instanceof Readable) {
        result.output.Body.on('error', () => undefined);
      }
      return result;
    },
    { step: 'initialize' },
  );
  secretsManager.middlewareStack.add(
    (next, context) => (args) => makeCall(nameOf(context), () => next(args)),
    outermost,
  );
  return { ...clients, waitsSeconds, waitSecondsOf, sentIds };
};
