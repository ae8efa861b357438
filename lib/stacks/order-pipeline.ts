import { CfnOutput, Duration, Stack, Validations } from 'aws-cdk-lib';
import type { HttpStage } from 'aws-cdk-lib/aws-apigatewayv2';
import { TableGrants } from 'aws-cdk-lib/aws-dynamodb';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { Grant } from 'aws-cdk-lib/aws-iam';
import type { EventSourceMapping } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import type { Config } from '../config';
import type { AlarmDefinition } from '../constructs/alarm';
import { ContinuationQueue } from '../constructs/continuation-queue';
import type { LogGroup } from '../constructs/log-group';
import type { NodeFunction } from '../constructs/node-function';
import {
  createOrderFunctions,
  type OrderFunctions,
  type OrderQueues,
  reconcilerTimeoutSeconds,
  workerTimeoutSeconds,
} from '../constructs/order-functions';
import { createWebhookApi } from '../constructs/webhook-api';
import { WorkerQueue } from '../constructs/worker-queue';
import type { Data } from './data';

/** From the webhook to the internal API: HTTP API, queues, workers, and the hourly reconciler. */
export class OrderPipeline extends Stack {
  readonly api: HttpStage;
  readonly apiLogs: LogGroup;
  readonly queues: Pick<OrderQueues, 'download' | 'processing'>;
  /** Alarm on passes of the reconciler that cannot continue. */
  readonly continuationAlarm: AlarmDefinition;
  readonly functions: OrderFunctions;
  /** What connects the queues to their workers. */
  readonly mappings: readonly EventSourceMapping[];

  constructor(scope: Construct, config: Config, data: Data) {
    super(scope, `${config.stage}-OrderPipeline`, {
      description: 'Marketplace event pipeline: from Qualia order webhooks to the internal API.',
      terminationProtection: config.retainData,
    });
    const queues = this.createQueues(config);
    this.queues = { download: queues.download, processing: queues.processing };
    this.continuationAlarm = queues.continuations.deadLetterAlarm;
    this.functions = createOrderFunctions(this, config, data, queues);

    this.grantOrders(data);
    this.grantBuckets(data);
    this.grantSecrets(data);
    this.mappings = this.connectQueues(queues);
    this.schedule(config);

    const { stage, logs } = createWebhookApi(this, config, this.functions.webhook);
    this.api = stage;
    this.apiLogs = logs;
    this.writeOutputs();
  }

  private createQueues(config: Config): OrderQueues {
    const worker = (name: 'download' | 'processing') =>
      new WorkerQueue(this, name, { config, settings: config[name], workerTimeoutSeconds });
    return {
      download: worker('download'),
      processing: worker('processing'),
      continuations: new ContinuationQueue(this, 'reconciler', {
        config,
        functionTimeoutSeconds: reconcilerTimeoutSeconds,
        deadLetters: {
          impact: 'A pass of the reconciler failed 5 times. The next scheduled pass resumes it.',
          runbook: 'reconciler-does-not-run',
        },
      }),
    };
  }

  private grantOrders(data: Data): void {
    // The table without its index: only operators query the index.
    const orders = TableGrants.fromTable(data.orders, [], false);
    for (const lambda of Object.values(this.functions))
      orders.actions(lambda, 'dynamodb:GetItem', 'dynamodb:UpdateItem');
    orders.actions(this.functions.reconciler, 'dynamodb:BatchGetItem', 'dynamodb:Scan');
    for (const lambda of Object.values(this.functions)) data.operations.grants.actions(lambda, 'dynamodb:UpdateItem');
    data.operations.grants.actions(this.functions.reconciler, 'dynamodb:Query');
  }

  private grantBuckets(data: Data): void {
    const { webhook, download, processing, reconciler } = this.functions;
    this.grantRawObjects(data, webhook, 'refused/*', 's3:PutObject');
    this.grantRawObjects(data, download, 'raw/*', 's3:GetObject', 's3:PutObject');
    this.grantRawObjects(data, download, 'rejected/*', 's3:PutObject');
    this.grantRawObjects(data, processing, 'raw/*', 's3:GetObject');
    // Without this right, S3 answers 403 for a missing key, and a deleted payload would look like a passing fault.
    Grant.addToPrincipal({ grantee: processing, actions: ['s3:ListBucket'], resourceArns: [data.rawBucket.bucketArn] });
    for (const key of ['reconciler/pass.tsv.gz', 'reconciler/last-pass.tsv.gz'])
      data.grantObjects(data.artifacts, reconciler, key, 's3:GetObject', 's3:PutObject');
  }

  private grantSecrets(data: Data): void {
    data.grantRead(data.webhookSecret, this.functions.webhook);
    data.grantRead(data.qualiaSecret, this.functions.download);
    data.grantRead(data.qualiaSecret, this.functions.reconciler);
    data.grantRead(data.internalApiSecret, this.functions.processing);
  }

  private connectQueues({ download, processing, continuations }: OrderQueues): readonly EventSourceMapping[] {
    const { functions } = this;
    const mappings = [download.consumeBy(functions.download), processing.consumeBy(functions.processing)];
    download.grantSend(functions.webhook);
    download.grantSend(functions.reconciler);
    download.queue.grants.actions(functions.reconciler, ['sqs:GetQueueAttributes']);
    continuations.connect(functions.reconciler);
    processing.grantSend(functions.download);
    return mappings;
  }

  private schedule(config: Config): void {
    new Rule(this, 'hourly', {
      description: 'Runs the reconciler.',
      schedule: Schedule.rate(Duration.hours(1)),
      enabled: config.reconciler.scheduled,
      targets: [new LambdaFunction(this.functions.reconciler, { maxEventAge: Duration.hours(1) })],
    });
  }

  private writeOutputs(): void {
    const { download, processing } = this.queues;
    new CfnOutput(this, 'ApiUrl', { value: this.api.api.apiEndpoint });
    new CfnOutput(this, 'DownloadQueueUrl', { value: download.queue.queueUrl });
    new CfnOutput(this, 'DownloadDeadLetterQueueUrl', { value: download.deadLetterQueue.queueUrl });
    new CfnOutput(this, 'ProcessingQueueUrl', { value: processing.queue.queueUrl });
    new CfnOutput(this, 'ProcessingDeadLetterQueueUrl', { value: processing.deadLetterQueue.queueUrl });
    new CfnOutput(this, 'ReconcilerFunctionName', { value: this.functions.reconciler.functionName });
  }

  /** Allows `lambda` actions on the objects of the raw bucket under one prefix. */
  private grantRawObjects(data: Data, lambda: NodeFunction, keys: string, ...actions: string[]): void {
    data.grantObjects(data.rawBucket, lambda, keys, ...actions);
    // cdk-nag identifies a finding by the text of the policy, where the bucket is an export of the other stack.
    const { 'Fn::ImportValue': bucket } = this.resolve(data.exportValue(data.rawBucket.bucketArn));
    Validations.of(lambda.executionRole).acknowledge({
      id: `AwsSolutions::AwsSolutions-IAM5[Resource::${bucket}/${keys}]`,
      reason:
        'Each round of an order, and each refused body, has its own object. Their keys are unknown at deployment: the prefix is the narrowest resource.',
    });
  }
}
