import { Duration } from 'aws-cdk-lib';
import { Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { IGrantable } from 'aws-cdk-lib/aws-iam';
import { type CfnFunction, RecursiveLoop } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import type { Config, WorkerSettings } from '../config';
import type { AlarmDefinition } from './alarm';
import type { NodeFunction } from './node-function';
import { maxReceiveCount, QueuePair } from './queue-pair';

interface WorkerQueueProps {
  readonly config: Config;
  readonly settings: WorkerSettings;
  /** Long enough for one batch: the queue's visibility timeout is six times the worker's. */
  readonly workerTimeoutSeconds: number;
}

/** A worker's queue and its dead-letter queue, with the alarms on both; `consumeBy` gives it its one worker. */
export class WorkerQueue extends QueuePair {
  /** Alarms on a dead-letter queue that is not empty, and on messages that wait too long. */
  readonly alarms: readonly AlarmDefinition[];
  private readonly settings: WorkerSettings;

  constructor(scope: Construct, name: string, { config, settings, workerTimeoutSeconds }: WorkerQueueProps) {
    super(scope, name, {
      config,
      // AWS's advice: time for Lambda to retry a throttled batch before its messages are seen again.
      visibilityTimeout: Duration.seconds(6 * workerTimeoutSeconds),
      deadLetters: {
        impact: `Orders failed at ${name} in each of ${maxReceiveCount} tries and wait for an operator.`,
        runbook: 'dead-letter-queue-not-empty',
      },
    });
    this.settings = settings;
    this.alarms = [
      this.deadLetterAlarm,
      {
        name: `${name}-falls-behind`,
        metric: this.queue.metricApproximateAgeOfOldestMessage({
          period: Duration.minutes(5),
          statistic: Stats.MAXIMUM,
        }),
        threshold: Duration.minutes(15).toSeconds(),
        treatMissingData: TreatMissingData.NOT_BREACHING,
        impact: `An order has been waiting for ${name} for over 15 minutes.`,
        runbook: 'queue-falls-behind',
      },
    ];
  }

  /** Lets `grantee` send to the queue, and nothing more. */
  grantSend(grantee: IGrantable): void {
    this.queue.grants.actions(grantee, ['sqs:SendMessage']);
  }

  /** Feeds the queue to `worker`, which reports each message by itself and may send a copy of it to the queue again. */
  consumeBy(worker: NodeFunction): void {
    const { batchSize, batchingWindowSeconds, maxConcurrency } = this.settings;
    // Not by `SqsEventSource`, which grants more than a poller needs.
    worker.addEventSourceMapping('messages', {
      eventSourceArn: this.queue.queueArn,
      batchSize,
      maxBatchingWindow: Duration.seconds(batchingWindowSeconds),
      maxConcurrency,
      reportBatchItemFailures: true,
    });
    worker.addEnvironment('MAX_RECEIVE_COUNT', String(maxReceiveCount));
    // The pollers act as the worker.
    this.queue.grants.actions(worker, ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes']);
    this.queue.grants.actions(worker, ['sqs:ChangeMessageVisibility']);
    this.grantSend(worker);
    // Lambda would take the 16th copy of a message for a loop and dead-letter it; our own limit is in docs/adr/0003.
    (worker.node.defaultChild as CfnFunction).recursiveLoop = RecursiveLoop.ALLOW;
  }
}
