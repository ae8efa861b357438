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
  /** Timeout of the worker: enough for one batch. */
  readonly workerTimeoutSeconds: number;
}

/** The queue of one worker and its dead-letter queue, with alarms on both. `consumeBy` connects the worker. */
export class WorkerQueue extends QueuePair {
  /** Alarms on dead letters, and on messages that wait too long. */
  readonly alarms: readonly AlarmDefinition[];
  private readonly settings: WorkerSettings;

  constructor(scope: Construct, name: string, { config, settings, workerTimeoutSeconds }: WorkerQueueProps) {
    super(scope, name, {
      config,
      // As AWS recommends: Lambda can retry a throttled batch before its messages become visible again.
      visibilityTimeout: Duration.seconds(6 * workerTimeoutSeconds),
      deadLetters: {
        impact: `Messages failed at ${name} ${maxReceiveCount} times. Their orders wait for an operator.`,
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
        impact: `An order has waited for ${name} for more than 15 minutes.`,
        runbook: 'queue-falls-behind',
      },
    ];
  }

  /** Allows `grantee` to send messages to the queue. */
  grantSend(grantee: IGrantable): void {
    this.queue.grants.actions(grantee, ['sqs:SendMessage']);
  }

  /** Connects the queue to `worker`, which reports failures per message and may send a copy of a message to the queue. */
  consumeBy(worker: NodeFunction): void {
    const { batchSize, batchingWindowSeconds, maxConcurrency } = this.settings;
    // `SqsEventSource` would grant more than the poller needs.
    worker.addEventSourceMapping('messages', {
      eventSourceArn: this.queue.queueArn,
      batchSize,
      maxBatchingWindow: Duration.seconds(batchingWindowSeconds),
      maxConcurrency,
      reportBatchItemFailures: true,
    });
    worker.addEnvironment('MAX_RECEIVE_COUNT', String(maxReceiveCount));
    // The poller uses the role of the worker.
    this.queue.grants.actions(worker, ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes']);
    this.queue.grants.actions(worker, ['sqs:ChangeMessageVisibility']);
    this.grantSend(worker);
    // Lambda would treat the 16th copy of a message as a loop and dead-letter it. docs/adr/0003 has our own limit.
    (worker.node.defaultChild as CfnFunction).recursiveLoop = RecursiveLoop.ALLOW;
  }
}
