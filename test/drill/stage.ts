import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { CloudWatchClient, type MetricAlarm, paginateDescribeAlarms } from '@aws-sdk/client-cloudwatch';
import { PutSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { DescribeExecutionCommand, StartExecutionCommand } from '@aws-sdk/client-sfn';
import {
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  PurgeQueueCommand,
  SendMessageCommand,
} from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { type EmbeddedAws, startEmbeddedAws } from '../../emulator/embedded-aws';
import type { Fault } from '../../local/simulators/faults';
import { sentOrderSchema } from '../../local/simulators/qualia-webhook';
import { control } from '../../local/start/control';
import { startSurroundings } from '../../local/start/surroundings';
import { connectToStage } from '../../ops/services/stage-connection';
import { sampleOrder } from '../../samples/orders';
import { parseJson } from '../../shared/json';
import type { Order, OrderId } from '../../shared/orders/order';
import { createOrderRepository } from '../../shared/orders/repository';
import { type Outcome, operate } from '../support/operate';
import { drilledStage } from './drilled-stage';
import { flood } from './flood';
import { type Notification, subscribe } from './notifications';

/** The Lambdas whose processes a drill can kill. */
export type OrderFunction = 'webhook' | 'download' | 'processing' | 'reconciler' | 'issue-watch';
type Simulator = 'qualia' | 'internalApi' | 'netlife' | 'iterable';
type SecretName = 'WebhookSecret' | 'QualiaSecret' | 'InternalApiSecret';

const depthAttributes = [
  'ApproximateNumberOfMessages',
  'ApproximateNumberOfMessagesNotVisible',
  'ApproximateNumberOfMessagesDelayed',
] as const;

/** Faults are real, but nobody waits for the visibility timeouts of a template. */
const longestHiddenSeconds = 1;
const waitLimitMs = 180_000;
const pollMs = 50;

/** Starts the stage on an embedded AWS, next to the simulators of everything that it calls. */
export const startDrillStage = async (assemblyDirectory: string, stateDirectory: string) => {
  const surroundings = await startSurroundings({ stateDirectory, orders: [], environment: {} });
  const { simulators, secrets, secretsFile, variables } = surroundings;
  /** Lambdas whose processes are killed at their next call, and how often that happened. */
  const crashing = new Map<string, number>();
  const linesSeen = new Map<RegExp, number>();
  const nameOf = (name: string): string => `${drilledStage}-marketplace-${name}`;

  const aws: EmbeddedAws = await startEmbeddedAws({
    assemblyDirectory,
    stateDirectory,
    secretsFile,
    // The reconciler would wait a minute for webhooks in transit.
    environmentOverrides: { ...variables, SETTLE_SECONDS: '0' },
    maxConcurrency: 2,
    forTests: { longestHiddenSeconds, batchingWindowSeconds: 0 },
    intercept: ({ functionName }) => {
      const crashes = crashing.get(functionName);
      if (crashes === undefined) return undefined;
      crashing.set(functionName, crashes + 1);
      return { when: 'before', does: 'kill' };
    },
    onLog: ({ message }) => {
      for (const [pattern, count] of linesSeen) if (pattern.test(message)) linesSeen.set(pattern, count + 1);
    },
  });
  const stage = await connectToStage({ stage: drilledStage, localStateDirectory: stateDirectory });
  stage.changes.open();
  const { endpoints } = aws;
  const cloudWatch = new CloudWatchClient({
    region: 'us-east-1',
    endpoint: endpoints.cloudwatch,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  const documents = DynamoDBDocumentClient.from(stage.dynamodb);
  const repository = createOrderRepository(documents, stage.ordersTableName);
  const topics = await subscribe(drilledStage, stage.sqs, endpoints.sns);
  const notifications: Notification[] = [];

  const until = async (what: string, isSo: () => Promise<boolean> | boolean): Promise<void> => {
    const deadlineMs = Date.now() + waitLimitMs;
    while (!(await isSo())) {
      if (Date.now() > deadlineMs) throw new Error(`After ${waitLimitMs / 1_000} s, this has not happened: ${what}`);
      await sleep(pollMs);
    }
  };
  const controlUrl = (name: Simulator): string => simulators[name]?.controlUrl ?? '';
  const [login] = secrets.WebhookSecret.basic;
  const registerWebhook = (password = login?.password): Promise<unknown> =>
    control(`${controlUrl('qualia')}/webhook`, 'PUT', {
      url: `${aws.apiUrl}/webhooks/qualia`,
      username: login?.username,
      password,
    });
  const kill = (name: OrderFunction): Promise<void> => aws.kill(nameOf(name));

  const queueUrl = async (name: string): Promise<string> => {
    const { QueueUrl = '' } = await stage.sqs.send(new GetQueueUrlCommand({ QueueName: nameOf(name) }));
    return QueueUrl;
  };
  const depthOf = async (name: string): Promise<number> => {
    const { Attributes = {} } = await stage.sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: await queueUrl(name), AttributeNames: [...depthAttributes] }),
    );
    return depthAttributes.reduce((sum, attribute) => sum + Number(Attributes[attribute] ?? 0), 0);
  };
  const orderOf = (id: string): Promise<Order | undefined> => repository.read(id as OrderId);
  const setFaults = (name: Simulator, ...faults: readonly Fault[]): Promise<unknown> =>
    control(`${controlUrl(name)}/faults`, 'PUT', faults);
  await registerWebhook();

  return {
    aws,
    stage,
    repository,
    nameOf,
    shortNameOf: ({ AlarmName = '' }: MetricAlarm): string => AlarmName.replace(nameOf(''), ''),
    until,
    setFaults,
    kill,
    queueUrl,
    depthOf,
    orderOf,
    registerWebhook,
    controlUrl,

    /** What all alarms have sent so far. */
    notifications: async (): Promise<readonly Notification[]> => {
      notifications.push(...(await topics.read()));
      return notifications;
    },

    alarms: async (): Promise<readonly MetricAlarm[]> => {
      const alarms: MetricAlarm[] = [];
      for await (const { MetricAlarms = [] } of paginateDescribeAlarms({ client: cloudWatch }, {})) {
        alarms.push(...MetricAlarms);
      }
      return alarms;
    },

    /** Runs a printed command of the runbook: the real `pipeline` command, with the embedded AWS as its target. */
    operate: (args: readonly string[]): Promise<Outcome> =>
      operate(['--state', stateDirectory, ...args], {
        answer: 'yes\n',
        now: Date.now,
        localStateDirectory: stateDirectory,
      }),

    /** Runs a command, and reads its JSON document. */
    query: async <T>(args: readonly string[], schema: z.ZodType<T>): Promise<T> => {
      const { stdout, stderr } = await operate(
        ['--state', stateDirectory, '--stage', drilledStage, ...args, '--json'],
        { now: Date.now },
      );
      const parsed = schema.safeParse(parseJson(stdout));
      if (!parsed.success) throw new Error(`pipeline ${args.join(' ')}: ${stdout}${stderr}`);
      return parsed.data;
    },

    /** Calls the webhook with its credentials. @returns the status of the response */
    post: async (body: unknown): Promise<number> => {
      const authorization = `Basic ${Buffer.from(`${login?.username}:${login?.password}`).toString('base64')}`;
      const headers = { 'content-type': 'application/json', authorization };
      const response = await fetch(`${aws.apiUrl}/webhooks/qualia`, {
        method: 'POST',
        headers,
        body: JSON.stringify(body),
      });
      await response.arrayBuffer();
      return response.status;
    },

    /** Creates an order at Qualia, which posts its webhook. @returns the order's id, and the status of the response */
    newOrder: async () => {
      const sent = sentOrderSchema.parse(await control(`${controlUrl('qualia')}/new-order`, 'POST'));
      return { id: sent.order_id, status: sent.webhook.status };
    },

    /** Adds an order at Qualia, without a webhook. */
    addUnannounced: async (index: number): Promise<string> => {
      const order = { ...sampleOrder(index), _id: `QO-unannounced-${Date.now()}` };
      await control(`${controlUrl('qualia')}/orders`, 'POST', [order]);
      return order._id;
    },

    /** Calls the webhook without credentials, in one burst. */
    flood: (calls: number): Promise<void> => flood(aws.apiUrl, calls),

    untilStatus: (ids: readonly string[], status: Order['status']): Promise<void> =>
      until(`${ids.length} orders are ${status}`, async () => {
        const orders = await Promise.all(ids.map(orderOf));
        return orders.every((order) => order?.status === status);
      }),

    /** Waits until the work on all messages of queues has ended: a worker publishes its metrics before that. */
    untilEmpty: async (...queues: readonly string[]): Promise<void> => {
      for (const queue of queues) await until(`${queue} is empty`, async () => (await depthOf(queue)) === 0);
    },

    /** Sends a message to a queue of the stage, e.g. `download` or `download-dead-letters`. */
    send: async (queue: string, MessageBody: string): Promise<void> => {
      await stage.sqs.send(new SendMessageCommand({ QueueUrl: await queueUrl(queue), MessageBody }));
    },

    purge: async (queue: string): Promise<void> => {
      await stage.sqs.send(new PurgeQueueCommand({ QueueUrl: await queueUrl(queue) }));
    },

    /** Kills the processes of a function at their next call, from now on. */
    crash: (name: OrderFunction): void => {
      crashing.set(nameOf(name), 0);
    },
    crashesOf: (name: OrderFunction): number => crashing.get(nameOf(name)) ?? 0,
    stopCrashing: (name: OrderFunction): void => {
      crashing.delete(nameOf(name));
    },

    /** Replaces a secret. The processes that have read it are killed. Without a value, the right one. */
    putSecret: async (name: SecretName, value: unknown = secrets[name]): Promise<void> => {
      const SecretId = z.string().parse(aws.outputs[`${drilledStage}-Data`]?.[`${name}Arn`]);
      await stage.secretsManager.send(new PutSecretValueCommand({ SecretId, SecretString: JSON.stringify(value) }));
      const reader = { WebhookSecret: 'webhook', QualiaSecret: 'download', InternalApiSecret: 'processing' } as const;
      await kill(reader[name]);
    },

    /** Starts a sync run. @returns its id */
    startRun: async (input: unknown): Promise<string> => {
      const name = `drill-${Date.now()}`;
      await stage.sfn.send(
        new StartExecutionCommand({ stateMachineArn: stage.stateMachineArn, name, input: JSON.stringify(input) }),
      );
      return name;
    },

    statusOfRun: async (run: string): Promise<string | undefined> => {
      const executionArn = `${stage.stateMachineArn.replace(':stateMachine:', ':execution:')}:${run}`;
      return (await stage.sfn.send(new DescribeExecutionCommand({ executionArn }))).status;
    },

    /** Changes the tables that the Iterable sync reads. */
    changeUsers: (...statements: readonly string[]): void => {
      const database = new DatabaseSync(path.join(stateDirectory, 'users.sqlite'));
      try {
        for (const statement of statements) database.exec(statement);
      } finally {
        database.close();
      }
    },

    /** Counts the log lines that match a pattern from now on, of all functions. */
    countLines: (pattern: RegExp): (() => number) => {
      linesSeen.set(pattern, 0);
      return () => linesSeen.get(pattern) ?? 0;
    },

    stop: async (): Promise<void> => {
      cloudWatch.destroy();
      documents.destroy();
      stage.close();
      await aws.stop();
      await surroundings.stop();
    },
  };
};

export type DrillStage = Awaited<ReturnType<typeof startDrillStage>>;
