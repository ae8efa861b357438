import { readFileSync, rmSync, statSync } from 'node:fs';
import { CloudWatchClient, GetMetricDataCommand, ListMetricsCommand } from '@aws-sdk/client-cloudwatch';
import {
  CloudWatchLogsClient,
  DescribeLogStreamsCommand,
  FilterLogEventsCommand,
  GetLogEventsCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import {
  DeleteFunctionConcurrencyCommand,
  GetFunctionCommand,
  GetFunctionConcurrencyCommand,
  GetFunctionConfigurationCommand,
  InvokeCommand,
  LambdaClient,
  ListFunctionsCommand,
  PutFunctionConcurrencyCommand,
  paginateListFunctions,
} from '@aws-sdk/client-lambda';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  paginateListObjectsV2,
  S3Client,
} from '@aws-sdk/client-s3';
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  ListSecretsCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { ListExecutionsCommand, SFNClient } from '@aws-sdk/client-sfn';
import {
  CreateTopicCommand,
  ListSubscriptionsByTopicCommand,
  ListTopicsCommand,
  PublishCommand,
  SNSClient,
  SubscribeCommand,
} from '@aws-sdk/client-sns';
import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
} from '@aws-sdk/client-sqs';
import fc from 'fast-check';
import * as z from 'zod';
import { eventually, newStateDirectory, secretsFile, startFixture } from './fixture/start';

const stateDirectory = newStateDirectory();
let aws: Awaited<ReturnType<typeof startFixture>>;
let clients: ReturnType<typeof connect>;
const connect = () => {
  const { config, endpoints } = aws;
  return {
    cloudWatch: new CloudWatchClient({ ...config, endpoint: endpoints.cloudwatch }),
    lambda: new LambdaClient({ ...config, endpoint: endpoints.lambda }),
    logs: new CloudWatchLogsClient({ ...config, endpoint: endpoints.logs }),
    s3: new S3Client({ ...config, endpoint: endpoints.s3 }),
    secrets: new SecretsManagerClient({ ...config, endpoint: endpoints.secretsmanager }),
    sfn: new SFNClient({ ...config, endpoint: endpoints.sfn }),
    sns: new SNSClient({ ...config, endpoint: endpoints.sns }),
  };
};
beforeAll(async () => {
  aws = await startFixture(stateDirectory);
  clients = connect();
});
afterAll(async () => {
  for (const client of Object.values(clients)) client.destroy();
  await aws.stop();
  rmSync(stateDirectory, { recursive: true });
});

describe('CloudWatch', () => {
  test('has the metrics of the services', async () => {
    const startMs = Date.now();
    await fetch(`${aws.apiUrl}/orders`, { method: 'POST', body: '{"order_id":"QO-metrics"}' });
    await fetch(`${aws.apiUrl}/unknown`);
    await eventually(() => aws.order('QO-metrics'));
    await aws.request({ fire: 'Nightly' });
    await eventually(async () => {
      const { Metrics = [] } = await clients.cloudWatch.send(
        new ListMetricsCommand({ Namespace: 'AWS/States', MetricName: 'ExecutionTime' }),
      );
      return Metrics.length;
    });
    await fetch(`${aws.endpoints.cloudwatch}/_control/advance`, { method: 'POST', body: '{"minutes":2}' });
    const stat = (
      Id: string,
      Namespace: string,
      MetricName: string,
      dimension: string,
      Value: string,
      Stat = 'Sum',
    ) => {
      const Metric = { Namespace: `AWS/${Namespace}`, MetricName, Dimensions: [{ Name: dimension, Value }] };
      return { Id, MetricStat: { Metric, Period: 3_600, Stat } };
    };
    const ofFunction = (Id: string, name: string) =>
      stat(Id, 'Lambda', name, 'FunctionName', 'dev-marketplace-webhook');
    const { Metrics = [] } = await clients.cloudWatch.send(new ListMetricsCommand({ Namespace: 'AWS/ApiGateway' }));
    const apiId = Metrics[0]?.Dimensions?.[0]?.Value ?? '';
    const machine = aws.pipeline.WorkflowArn;
    const { MetricDataResults = [] } = await clients.cloudWatch.send(
      new GetMetricDataCommand({
        MetricDataQueries: [
          ofFunction('invocations', 'Invocations'),
          ofFunction('errors', 'Errors'),
          ofFunction('throttles', 'Throttles'),
          stat('requests', 'ApiGateway', 'Count', 'ApiId', apiId),
          stat('clientErrors', 'ApiGateway', '4xx', 'ApiId', apiId),
          stat('integrated', 'ApiGateway', 'IntegrationLatency', 'ApiId', apiId, 'SampleCount'),
          stat('started', 'States', 'ExecutionsStarted', 'StateMachineArn', machine),
          stat('sent', 'SQS', 'NumberOfMessagesSent', 'QueueName', 'dev-marketplace-download'),
          stat('bytes', 'Logs', 'IncomingBytes', 'LogGroupName', '/aws/lambda/dev'),
          stat('queues', 'SQS', 'ApproximateNumberOfMessagesVisible', 'QueueName', 'dev-marketplace-download'),
        ],
        StartTime: new Date(startMs - 3_600_000),
        EndTime: new Date(startMs + 3_600_000),
      }),
    );
    const sums = MetricDataResults.map(({ Id, Values = [] }) => [Id, Values.reduce((sum, value) => sum + value, 0)]);
    expect(Object.fromEntries(sums)).toEqual({
      invocations: 1,
      errors: 0,
      throttles: 0,
      requests: 2,
      clientErrors: 1,
      integrated: 1,
      started: 1,
      sent: 1,
      bytes: expect.any(Number),
      queues: 0,
    });
  });
});

describe('SNS', () => {
  const TopicArn = 'arn:aws:sns:us-east-1:000000000000:dev-OrderPipeline-Page';
  const advance = (minutes: number) =>
    fetch(`${aws.endpoints.cloudwatch}/_control/advance`, { method: 'POST', body: JSON.stringify({ minutes }) });
  const envelopeSchema = z.object({
    Type: z.literal('Notification'),
    TopicArn: z.string(),
    Subject: z.string(),
    Message: z.string(),
  });

  test('delivers the notifications of an alarm to a subscribed queue', async () => {
    const { QueueUrl } = await aws.sqs.send(new CreateQueueCommand({ QueueName: 'on-call' }));
    const Endpoint = 'arn:aws:sqs:us-east-1:000000000000:on-call';
    const { Topics } = await clients.sns.send(new ListTopicsCommand({}));
    expect(Topics).toEqual([{ TopicArn }]);
    await clients.sns.send(new SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint }));
    const { Subscriptions } = await clients.sns.send(new ListSubscriptionsByTopicCommand({ TopicArn }));
    expect(Subscriptions).toEqual([expect.objectContaining({ Protocol: 'sqs', Endpoint })]);
    const received = async () => {
      const { Messages = [] } = await aws.sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
      await Promise.all(
        Messages.map(({ ReceiptHandle }) => aws.sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }))),
      );
      return Messages.map(({ Body = '' }) => envelopeSchema.parse(JSON.parse(Body)));
    };
    await advance(1);
    await received();

    const dead = { QueueUrl: aws.pipeline.DownloadDeadLetterQueueUrl };
    await aws.sqs.send(new SendMessageCommand({ ...dead, MessageBody: 'dead' }));
    await advance(1);
    const [alarm] = await received();
    expect(alarm).toMatchObject({
      TopicArn,
      Subject: 'ALARM: "dev-marketplace-dead-letters" in US East (N. Virginia)',
    });
    expect(JSON.parse(alarm?.Message ?? '')).toMatchObject({ NewStateValue: 'ALARM', OldStateValue: 'OK' });

    await aws.sqs.send(new PurgeQueueCommand(dead));
    await advance(1);
    expect(await received()).toEqual([
      expect.objectContaining({ Subject: 'OK: "dev-marketplace-dead-letters" in US East (N. Virginia)' }),
    ]);
    await clients.sns.send(new PublishCommand({ TopicArn, Subject: 'test', Message: 'of the delivery' }));
    expect(await received()).toEqual([expect.objectContaining({ Subject: 'test', Message: 'of the delivery' })]);
  });

  test.each<[string, () => Promise<unknown>]>([
    ['CreateTopic of SNS', () => clients.sns.send(new CreateTopicCommand({ Name: 'x' }))],
    [
      'the parameter MessageStructure of SNS Publish',
      () => clients.sns.send(new PublishCommand({ TopicArn, Message: '{}', MessageStructure: 'json' })),
    ],
    [
      'the protocol https of SNS Subscribe',
      () => clients.sns.send(new SubscribeCommand({ TopicArn, Protocol: 'https', Endpoint: 'https://localhost' })),
    ],
  ])('does not serve %s', async (what, send) => {
    await expect(send()).rejects.toThrow(`The embedded AWS does not serve ${what}.`);
  });
});

describe('Lambda', () => {
  test('lists its functions in pages', async () => {
    const pages: unknown[] = [];
    for await (const { Functions = [] } of paginateListFunctions({ client: clients.lambda, pageSize: 3 }, {}))
      pages.push(...Functions.map(({ FunctionName }) => FunctionName));
    expect(pages).toEqual([...pages].sort());
    expect(pages).toEqual(expect.arrayContaining(['dev-marketplace-webhook', 'dev-marketplace-download']));
    await expect(clients.lambda.send(new ListFunctionsCommand({ Marker: 'x' }))).rejects.toMatchObject({
      name: 'InvalidParameterValueException',
    });
  });

  test('describes a function with the values of the template', async () => {
    const FunctionName = 'arn:aws:lambda:us-east-1:000000000000:function:dev-marketplace-webhook';
    const configuration = await clients.lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
    expect(configuration).toMatchObject({
      FunctionName: 'dev-marketplace-webhook',
      Runtime: 'nodejs24.x',
      Timeout: 10,
      MemorySize: 256,
      LoggingConfig: { LogFormat: 'JSON', LogGroup: '/aws/lambda/dev' },
    });
    const { Environment, Code, Configuration } = {
      ...(await clients.lambda.send(new GetFunctionCommand({ FunctionName }))),
      ...configuration,
    };
    expect(Object.keys(Environment?.Variables ?? {})).toEqual([
      'ORDERS_TABLE_NAME',
      'DOWNLOAD_QUEUE_URL',
      'QUALIA_API_URL',
    ]);
    expect(Configuration?.Environment).toEqual(Environment);
    expect(Code?.Location).toMatch(/^file:.*asset\.webhook$/);
    await expect(
      clients.lambda.send(new GetFunctionConfigurationCommand({ FunctionName: 'nobody' })),
    ).rejects.toMatchObject({ name: 'ResourceNotFoundException', message: 'Function not found: nobody' });
  });
});

describe('the concurrency of a Lambda', () => {
  const FunctionName = 'dev-marketplace-download';
  const invoke = () => clients.lambda.send(new InvokeCommand({ FunctionName, Payload: '{"Records":[]}' }));

  test('0 throttles every call until it is changed again', async () => {
    const reservation = { ReservedConcurrentExecutions: 0 };
    expect(
      await clients.lambda.send(new PutFunctionConcurrencyCommand({ FunctionName, ...reservation })),
    ).toMatchObject(reservation);
    await expect(invoke()).rejects.toMatchObject({ name: 'TooManyRequestsException' });
    expect(await clients.lambda.send(new GetFunctionConcurrencyCommand({ FunctionName }))).toMatchObject(reservation);
    await clients.lambda.send(new DeleteFunctionConcurrencyCommand({ FunctionName }));
    expect((await invoke()).StatusCode).toBe(200);
  });

  test('an impossible one is refused', async () => {
    const wrong = new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: -1 });
    await expect(clients.lambda.send(wrong)).rejects.toMatchObject({ name: 'InvalidParameterValueException' });
  });
});

describe('Secrets Manager', () => {
  const SecretId = 'dev-Data-WebhookSecretF21E29CC';
  const get = (more = {}) => clients.secrets.send(new GetSecretValueCommand({ SecretId, ...more }));

  test('returns a new value at the next call, and after a kill', async () => {
    const before = await get();
    const SecretString = '{"signing_secrets": ["third"],\n "note": "two \\u0020 spaces  "}';
    const put = await clients.secrets.send(
      new PutSecretValueCommand({ SecretId: aws.data.WebhookSecretArn, SecretString }),
    );
    const after = await get();
    expect(JSON.parse(after.SecretString ?? '')).toEqual(JSON.parse(SecretString));
    expect(put).toMatchObject({ Name: SecretId, VersionId: after.VersionId, VersionStages: ['AWSCURRENT'] });
    expect(after.VersionId).not.toBe(before.VersionId);
    await expect(get({ VersionId: before.VersionId })).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    await expect(get({ VersionStage: 'AWSPREVIOUS' })).rejects.toMatchObject({ name: 'ResourceNotFoundException' });

    await aws.kill();
    aws = await startFixture(stateDirectory);
    clients = connect();
    expect((await get()).SecretString).toBe(after.SecretString);
  });

  test('stores JSON as JSON, so that people can edit the file, and other text unchanged', async () => {
    const file = secretsFile(stateDirectory);
    for (const [text, kept] of [
      ['{ "a": [1, "b c"] }', { a: [1, 'b c'] }],
      ['{"big": 12345678901234567890}', '{"big": 12345678901234567890}'],
      ['plain text', 'plain text'],
    ] as const) {
      await clients.secrets.send(new PutSecretValueCommand({ SecretId, SecretString: text }));
      expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ WebhookSecret: kept });
      expect((await get()).SecretString).toBe(typeof kept === 'string' ? kept : JSON.stringify(kept));
    }
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test('lists and describes its secrets without their values', async () => {
    const { SecretList } = await clients.secrets.send(new ListSecretsCommand({}));
    const { VersionId = '' } = await get();
    expect(SecretList).toEqual([
      {
        ARN: aws.data.WebhookSecretArn,
        Name: SecretId,
        CreatedDate: expect.any(Date),
        LastChangedDate: expect.any(Date),
        SecretVersionsToStages: { [VersionId]: ['AWSCURRENT'] },
      },
    ]);
    const Filters = [{ Key: 'name' as const, Values: ['nobody'] }];
    expect((await clients.secrets.send(new ListSecretsCommand({ Filters }))).SecretList).toEqual([]);
    expect(await clients.secrets.send(new DescribeSecretCommand({ SecretId }))).toMatchObject({
      Name: SecretId,
      VersionIdsToStages: { [VersionId]: ['AWSCURRENT'] },
    });
    await expect(clients.secrets.send(new DescribeSecretCommand({ SecretId: 'nobody' }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
  });
});

describe('SQS', () => {
  test('rejects an invalid receipt handle, and accepts an expired one', async () => {
    const QueueUrl = aws.pipeline.DownloadDeadLetterQueueUrl;
    const nonsense = { name: 'ReceiptHandleIsInvalid' };
    const remove = (ReceiptHandle: string, url = QueueUrl) =>
      aws.sqs.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle }));
    await expect(remove('nonsense')).rejects.toMatchObject(nonsense);
    await expect(
      aws.sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle: 'nonsense', VisibilityTimeout: 0 })),
    ).rejects.toMatchObject(nonsense);

    await aws.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'one' }));
    const { Messages } = await aws.sqs.send(new ReceiveMessageCommand({ QueueUrl }));
    const [{ ReceiptHandle = '' } = {}] = Messages ?? [];
    await expect(remove(ReceiptHandle, aws.pipeline.BulkQueueUrl)).rejects.toMatchObject(nonsense);
    const { Successful, Failed } = await aws.sqs.send(
      new DeleteMessageBatchCommand({
        QueueUrl,
        Entries: [
          { Id: 'good', ReceiptHandle },
          { Id: 'bad', ReceiptHandle: 'nonsense' },
        ],
      }),
    );
    expect(Successful).toEqual([{ Id: 'good' }]);
    expect(Failed).toMatchObject([{ Id: 'bad', SenderFault: true, Code: 'ReceiptHandleIsInvalid' }]);
    await remove(ReceiptHandle);
    expect(await aws.depth(QueueUrl)).toEqual({ visible: 0, inFlight: 0 });
  });
});

describe('S3', () => {
  test.each([
    ['an empty body', { 'content-type': 'application/json' }],
    ['no body', {}],
  ])('stores an empty object for a put with %s', async (what, headers) => {
    const url = `${aws.endpoints.s3}/${aws.data.RawBucketName}/empty/${encodeURIComponent(what)}`;
    expect((await fetch(url, { method: 'PUT', headers, body: null })).status).toBe(200);
    const got = await fetch(url);
    expect([got.status, got.headers.get('content-length'), await got.text()]).toEqual([200, '0', '']);
  });

  test('lists objects with every supported parameter', async () => {
    const Bucket = aws.data.RawBucketName;
    for (const Key of ['list/a/1', 'list/b/2', 'list/c'])
      await clients.s3.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }));
    const list = await clients.s3.send(
      new ListObjectsV2Command({
        Bucket,
        Prefix: 'list/',
        Delimiter: '/',
        MaxKeys: 3,
        EncodingType: 'url',
        FetchOwner: true,
        StartAfter: 'list/a/2',
      }),
    );
    expect(list.CommonPrefixes).toEqual([{ Prefix: 'list/b/' }]);
    expect(list.Contents?.map(({ Key }) => Key)).toEqual(['list/c']);
  });
});

describe('an S3 listing', () => {
  const key = fc.stringMatching(/^[aB_é😀/ ]{1,6}$/u).filter((text) => !/^\/|\/\/|^\.+$/.test(text));
  const bytewise = (a: string, b: string) => Buffer.from(a).compare(Buffer.from(b));
  let run = 0;

  test('returns every key once, in byte order, across pages, and groups keys into common prefixes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(key, { maxLength: 12 }),
        fc.integer({ min: 1, max: 5 }),
        async (keys, pageSize) => {
          const Bucket = aws.data.RawBucketName;
          const Prefix = `listing-${run++}/`;
          for (const one of keys) await clients.s3.send(new PutObjectCommand({ Bucket, Key: Prefix + one, Body: one }));
          const sorted = keys.toSorted(bytewise);
          const listed: string[] = [];
          for await (const { Contents = [] } of paginateListObjectsV2(
            { client: clients.s3, pageSize },
            { Bucket, Prefix },
          ))
            listed.push(...Contents.map(({ Key = '' }) => Key.slice(Prefix.length)));
          expect(listed).toEqual(sorted);

          const grouped: string[] = [];
          const groups: string[] = [];
          for await (const page of paginateListObjectsV2(
            { client: clients.s3, pageSize },
            { Bucket, Prefix, Delimiter: '/' },
          )) {
            grouped.push(...(page.Contents ?? []).map(({ Key = '' }) => Key.slice(Prefix.length)));
            groups.push(...(page.CommonPrefixes ?? []).map((one) => one.Prefix?.slice(Prefix.length) ?? ''));
          }
          const isGrouped = (one: string) => one.includes('/');
          expect(grouped).toEqual(sorted.filter((one) => !isGrouped(one)));
          expect(groups).toEqual([
            ...new Set(sorted.filter(isGrouped).map((one) => one.slice(0, one.indexOf('/') + 1))),
          ]);
        },
      ),
      { numRuns: 20 },
    );
  });

  test('omits deleted objects, and includes those written before a kill', async () => {
    const Bucket = aws.data.RawBucketName;
    for (const Key of ['kept', 'gone']) {
      await clients.s3.send(new PutObjectCommand({ Bucket, Key: `last/${Key}`, Body: Key, Metadata: { a: 'b' } }));
    }
    await clients.s3.send(new DeleteObjectCommand({ Bucket, Key: 'last/gone' }));
    await aws.kill();
    aws = await startFixture(stateDirectory);
    clients = connect();
    const { Contents } = await clients.s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'last/' }));
    expect(Contents?.map(({ Key }) => Key)).toEqual(['last/kept']);
    const kept = await clients.s3.send(new GetObjectCommand({ Bucket, Key: 'last/kept' }));
    expect([await kept.Body?.transformToString(), kept.Metadata]).toEqual(['kept', { a: 'b' }]);
    await expect(clients.s3.send(new GetObjectCommand({ Bucket, Key: 'last/gone' }))).rejects.toMatchObject({
      name: 'NoSuchKey',
    });
  });
});

describe('CloudWatch Logs', () => {
  test('has a separate stream for each process of a function', async () => {
    await aws.invoke('dev-marketplace-behaviors', { behavior: 'throw' });
    await aws.request({ kill: 'dev-marketplace-behaviors' });
    await aws.invoke('dev-marketplace-behaviors', { behavior: 'throw' });
    const logGroupName = '/aws/lambda/dev';
    const events = await eventually(
      async () =>
        (await clients.logs.send(new FilterLogEventsCommand({ logGroupName, filterPattern: '"a requested error"' })))
          .events ?? [],
      (found) => found.length === 2,
    );
    const [one = '', other = ''] = events.map(({ logStreamName }) => logStreamName);
    expect(one).toMatch(/^\d{4}\/\d{2}\/\d{2}\/\[\$LATEST\][0-9a-f]{32}$/);
    expect(other).not.toBe(one);
    const { logStreams = [] } = await clients.logs.send(new DescribeLogStreamsCommand({ logGroupName }));
    expect(logStreams.map(({ logStreamName }) => logStreamName)).toEqual(expect.arrayContaining([one, other]));
    const read = await clients.logs.send(new GetLogEventsCommand({ logGroupName, logStreamName: other }));
    expect(read.events?.map(({ message }) => message).join()).toContain('a requested error');
  });
});

describe('Step Functions', () => {
  const stateMachineArn = 'arn:aws:states:us-east-1:000000000000:stateMachine:dev-marketplace-workflow';
  test.each([
    ['an unknown status', { statusFilter: 'LOST' as 'FAILED' }, 'ValidationException'],
    ['a page that is too large', { maxResults: 1_001 }, 'ValidationException'],
    ['an invalid token', { nextToken: 'x' }, 'InvalidToken'],
  ])('rejects %s', async (_what, changes, name) => {
    await expect(clients.sfn.send(new ListExecutionsCommand({ stateMachineArn, ...changes }))).rejects.toMatchObject({
      name,
    });
  });
});
