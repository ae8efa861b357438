import { CfnOutput, Duration, Stack, Validations } from 'aws-cdk-lib';
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import { type CfnStage, HttpApi, HttpMethod, HttpStage, LogGroupLogDestination } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { TableGrants } from 'aws-cdk-lib/aws-dynamodb';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { Grant } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { backlogLimitOf, callSharesOf } from '../call-budget';
import type { Config } from '../config';
import type { AlarmDefinition } from '../constructs/alarm';
import { ContinuationQueue } from '../constructs/continuation-queue';
import { LogGroup } from '../constructs/log-group';
import { NodeFunction } from '../constructs/node-function';
import { WorkerQueue } from '../constructs/worker-queue';
import type { Data } from './data';

const workerTimeoutSeconds = 60;
const reconcilerTimeoutSeconds = 900;

/** A variable for a call budget, where there is one. */
const budgetVariable = (name: string, callsPerSecond: number | undefined): Readonly<Record<string, string>> =>
  callsPerSecond === undefined ? {} : { [name]: String(callsPerSecond) };

const webhookPath = '/webhooks/qualia';

/** For the routes that anybody may call: apart from the webhook's throttle, so that nobody can use that one up. */
const strangersThrottle = { ThrottlingRateLimit: 10, ThrottlingBurstLimit: 20 };

/** From the webhook to the internal API: HTTP API, queues, workers, and the hourly reconciler. */
export class OrderPipeline extends Stack {
  readonly api: HttpStage;
  readonly apiLogs: LogGroup;
  /** The key of Qualia's route, as the access log names it. */
  readonly webhookRoute = `POST ${webhookPath}`;
  readonly queues: Readonly<Record<'download' | 'processing', WorkerQueue>>;
  /** On passes of the reconciler that cannot be continued. */
  readonly continuationAlarm: AlarmDefinition;
  readonly functions: Readonly<Record<'webhook' | 'download' | 'processing' | 'reconciler', NodeFunction>>;

  constructor(scope: Construct, config: Config, data: Data) {
    super(scope, `${config.stage}-OrderPipeline`, {
      description: 'Marketplace event pipeline: from Qualia order webhooks to the internal API.',
      terminationProtection: config.retainData,
    });

    const download = new WorkerQueue(this, 'download', { config, settings: config.download, workerTimeoutSeconds });
    const processing = new WorkerQueue(this, 'processing', {
      config,
      settings: config.processing,
      workerTimeoutSeconds,
    });
    this.queues = { download, processing };
    const continuations = new ContinuationQueue(this, 'reconciler', {
      config,
      functionTimeoutSeconds: reconcilerTimeoutSeconds,
      deadLetters: {
        impact: 'A pass of the reconciler failed in each of 5 tries; the schedule takes it up again.',
        runbook: 'reconciler-does-not-run',
      },
    });
    this.continuationAlarm = continuations.deadLetterAlarm;
    const shares = callSharesOf(config);

    const webhook = new NodeFunction(this, 'webhook', {
      config,
      description: 'Answers Qualia, records the order and queues its download.',
      timeoutSeconds: 10,
      memoryMb: 512,
      reservedConcurrency: config.webhookReservedConcurrency,
      environment: {
        ORDERS_TABLE_NAME: data.orders.tableName,
        DOWNLOAD_QUEUE_URL: download.queue.queueUrl,
        WEBHOOK_SECRET_ARN: data.webhookSecret.secretArn,
      },
    });
    const downloader = new NodeFunction(this, 'download', {
      config,
      description: 'Downloads an order from Qualia, keeps its bytes and queues its processing.',
      timeoutSeconds: workerTimeoutSeconds,
      memoryMb: 512,
      environment: {
        ORDERS_TABLE_NAME: data.orders.tableName,
        DOWNLOAD_QUEUE_URL: download.queue.queueUrl,
        PROCESSING_QUEUE_URL: processing.queue.queueUrl,
        RAW_BUCKET_NAME: data.rawBucket.bucketName,
        QUALIA_API_URL: config.qualiaApiUrl,
        QUALIA_SECRET_ARN: data.qualiaSecret.secretArn,
        ...budgetVariable('QUALIA_CALLS_PER_SECOND', shares.download),
      },
    });
    const processor = new NodeFunction(this, 'processing', {
      config,
      description: 'Maps a downloaded order and posts it to the internal API.',
      timeoutSeconds: workerTimeoutSeconds,
      memoryMb: 512,
      environment: {
        ORDERS_TABLE_NAME: data.orders.tableName,
        PROCESSING_QUEUE_URL: processing.queue.queueUrl,
        RAW_BUCKET_NAME: data.rawBucket.bucketName,
        INTERNAL_API_URL: config.internalApiUrl,
        INTERNAL_API_SECRET_ARN: data.internalApiSecret.secretArn,
        ...budgetVariable('INTERNAL_API_CALLS_PER_SECOND', shares.processing),
      },
    });
    const reconciler = new NodeFunction(this, 'reconciler', {
      config,
      description: 'Starts a round for each order that is missing, stuck, changed at Qualia, or not checked for a day.',
      timeoutSeconds: reconcilerTimeoutSeconds,
      // A pass over 720,000 orders takes some 400 MB.
      memoryMb: 1024,
      environment: {
        ORDERS_TABLE_NAME: data.orders.tableName,
        ARTIFACTS_BUCKET_NAME: data.artifacts.bucketName,
        DOWNLOAD_QUEUE_URL: download.queue.queueUrl,
        RECONCILER_QUEUE_URL: continuations.queue.queueUrl,
        QUALIA_API_URL: config.qualiaApiUrl,
        QUALIA_SECRET_ARN: data.qualiaSecret.secretArn,
        ROUNDS_PER_SECOND: String(config.reconciler.roundsPerSecond),
        BACKLOG_LIMIT: String(backlogLimitOf(config)),
        SETTLE_SECONDS: String(config.reconciler.settleSeconds),
        ...budgetVariable('QUALIA_CALLS_PER_SECOND', shares.reconciler),
      },
    });
    this.functions = { webhook, download: downloader, processing: processor, reconciler };

    // The table alone, without its index: only operators ask that one.
    const orders = TableGrants.fromTable(data.orders, [], false);
    for (const lambda of Object.values(this.functions))
      orders.actions(lambda, 'dynamodb:GetItem', 'dynamodb:UpdateItem');
    orders.actions(reconciler, 'dynamodb:BatchGetItem');

    this.grantObjects(data, downloader, 'raw/*', 's3:GetObject', 's3:PutObject');
    this.grantObjects(data, downloader, 'rejected/*', 's3:PutObject');
    this.grantObjects(data, processor, 'raw/*', 's3:GetObject');
    // Without it, S3 answers 403 to a key that is not there: a payload that is gone would look like a passing fault.
    Grant.addToPrincipal({ grantee: processor, actions: ['s3:ListBucket'], resourceArns: [data.rawBucket.bucketArn] });
    for (const key of ['reconciler/pass.tsv.gz', 'reconciler/last-pass.tsv.gz'])
      data.grantObjects(data.artifacts, reconciler, key, 's3:GetObject', 's3:PutObject');

    data.grantRead(data.webhookSecret, webhook);
    data.grantRead(data.qualiaSecret, downloader);
    data.grantRead(data.qualiaSecret, reconciler);
    data.grantRead(data.internalApiSecret, processor);

    download.consumeBy(downloader);
    download.grantSend(webhook);
    download.grantSend(reconciler);
    download.queue.grants.actions(reconciler, ['sqs:GetQueueAttributes']);
    continuations.connect(reconciler);
    processing.consumeBy(processor);
    processing.grantSend(downloader);

    new Rule(this, 'hourly', {
      description: 'Runs the reconciler.',
      schedule: Schedule.rate(Duration.hours(1)),
      enabled: config.reconciler.scheduled,
      targets: [new LambdaFunction(reconciler, { maxEventAge: Duration.hours(1) })],
    });

    const qualia = new HttpLambdaIntegration('webhook', webhook);
    // The webhook itself answers 404 and 405, in the same JSON as everything else.
    const api = new HttpApi(this, 'api', {
      apiName: `${config.stage}-marketplace`,
      createDefaultStage: false,
      defaultIntegration: qualia,
    });
    api.addRoutes({ path: webhookPath, methods: [HttpMethod.POST], integration: qualia });
    api.addRoutes({ path: '/health', methods: [HttpMethod.GET, HttpMethod.HEAD], integration: qualia });
    Validations.of(api).acknowledge({
      id: 'AwsSolutions::AwsSolutions-APIG4',
      reason:
        'The webhook Lambda checks each sender: a signature covers the raw body, which no authorizer gets to see.',
    });
    this.apiLogs = new LogGroup(this, 'api-logs', {
      config,
      // API Gateway's grant to write there does not grow with each API under this prefix.
      name: `/aws/vendedlogs/${config.stage}-marketplace-api`,
    });
    this.api = new HttpStage(this, 'api-stage', {
      httpApi: api,
      autoDeploy: true,
      throttle: { rateLimit: config.apiThrottle.ratePerSecond, burstLimit: config.apiThrottle.burst },
      accessLogSettings: {
        destination: new LogGroupLogDestination(this.apiLogs),
        format: AccessLogFormat.custom(
          JSON.stringify({
            timestamp: '$context.requestTime',
            api_request_id: '$context.requestId',
            source_ip: '$context.identity.sourceIp',
            route: '$context.routeKey',
            status_code: '$context.status',
            latency_ms: '$context.responseLatency',
            error: '$context.error.message',
            integration_status: '$context.integrationStatus',
            integration_error: '$context.integrationErrorMessage',
          }),
        ),
      },
    });
    const stage = this.api.node.defaultChild as CfnStage;
    stage.routeSettings = Object.fromEntries(
      ['GET /health', 'HEAD /health', '$default'].map((route) => [route, strangersThrottle]),
    );
    // API Gateway refuses the settings of a route that does not exist yet.
    this.api.node.addDependency(api);

    new CfnOutput(this, 'ApiUrl', { value: api.apiEndpoint });
    new CfnOutput(this, 'DownloadQueueUrl', { value: download.queue.queueUrl });
    new CfnOutput(this, 'DownloadDeadLetterQueueUrl', { value: download.deadLetterQueue.queueUrl });
    new CfnOutput(this, 'ProcessingQueueUrl', { value: processing.queue.queueUrl });
    new CfnOutput(this, 'ProcessingDeadLetterQueueUrl', { value: processing.deadLetterQueue.queueUrl });
    new CfnOutput(this, 'ReconcilerFunctionName', { value: reconciler.functionName });
  }

  /** Lets `lambda` do `actions` to the raw bucket's objects under one prefix. */
  private grantObjects(data: Data, lambda: NodeFunction, keys: string, ...actions: string[]): void {
    data.grantObjects(data.rawBucket, lambda, keys, ...actions);
    // cdk-nag names a finding after the policy's text, and there the bucket is an export of the other stack.
    const { 'Fn::ImportValue': bucket } = this.resolve(data.exportValue(data.rawBucket.bucketArn));
    Validations.of(lambda.executionRole).acknowledge({
      id: `AwsSolutions::AwsSolutions-IAM5[Resource::${bucket}/${keys}]`,
      reason: 'An order has an object a round, so that their keys cannot be listed: the prefix is the narrowest name.',
    });
  }
}
