import { Duration } from 'aws-cdk-lib';
import { type IMetric, MathExpression, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { IGrantable } from 'aws-cdk-lib/aws-iam';
import { type CfnFunction, type EventSourceMapping, RecursiveLoop } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import type { Config, WorkerSettings } from '../config';
import { pipelineMetric } from '../metrics';
import type { AlarmDefinition } from './alarm';
import type { NodeFunction } from './node-function';
import { maxReceiveCount, QueuePair, retentionPeriod } from './queue-pair';

type WorkerName = 'download' | 'processing';

/** The API that a worker calls, as its metrics name it. */
const apiOf: Readonly<Record<WorkerName, string>> = { download: 'qualia', processing: 'internal' };

const agePeriod = Duration.minutes(5);

interface WorkerQueueProps {
  readonly config: Config;
  readonly settings: WorkerSettings;
  /** Timeout of the worker: enough for one batch. */
  readonly workerTimeoutSeconds: number;
}

/** Ages in seconds of what waits for a worker. */
interface WaitingAges {
  /** Since the oldest message of the queue was sent. */
  readonly messages: IMetric;
  /** The same over all fresh copies of a message, reported by the worker whenever it defers one (docs/adr/0003). */
  readonly deferred: IMetric;
  /** Since the oldest dead letter arrived. */
  readonly deadLetters: IMetric;
}

/** Time between the warning and the loss of a message. */
const warningPeriod = Duration.days(4);

/** The queue of one worker and its dead-letter queue, with alarms on both. `consumeBy` connects the worker. */
export class WorkerQueue extends QueuePair {
  readonly ages: WaitingAges;
  /** Alarms on dead letters, on messages that wait too long, and on messages that SQS will delete. */
  readonly alarms: readonly AlarmDefinition[];
  private readonly settings: WorkerSettings;
  private readonly isPaused: boolean;

  constructor(scope: Construct, name: WorkerName, { config, settings, workerTimeoutSeconds }: WorkerQueueProps) {
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
    this.isPaused = config.paused.includes(name);
    this.ages = this.createAges(name, config);
    this.alarms = [this.deadLetterAlarm, this.delayAlarm(name), this.retentionAlarm(name)];
  }

  /** Allows `grantee` to send messages to the queue. */
  grantSend(grantee: IGrantable): void {
    this.queue.grants.actions(grantee, ['sqs:SendMessage']);
  }

  /**
   * Connects the queue to `worker`, which reports failures per message and may send a copy of a message to the queue.
   *
   * @returns the mapping that connects them
   */
  consumeBy(worker: NodeFunction): EventSourceMapping {
    const { batchSize, batchingWindowSeconds, maxConcurrency } = this.settings;
    // `SqsEventSource` would grant more than the poller needs.
    const mapping = worker.addEventSourceMapping('messages', {
      eventSourceArn: this.queue.queueArn,
      batchSize,
      maxBatchingWindow: Duration.seconds(batchingWindowSeconds),
      maxConcurrency,
      reportBatchItemFailures: true,
      // Without the property, CloudFormation never changes whether the mapping is enabled.
      ...(this.isPaused && { enabled: false }),
    });
    worker.addEnvironment('MAX_RECEIVE_COUNT', String(maxReceiveCount));
    // The poller uses the role of the worker.
    this.queue.grants.actions(worker, ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes']);
    this.queue.grants.actions(worker, ['sqs:ChangeMessageVisibility']);
    this.grantSend(worker);
    // Lambda would treat the 16th copy of a message as a loop and dead-letter it. docs/adr/0003 has our own limit.
    (worker.node.defaultChild as CfnFunction).recursiveLoop = RecursiveLoop.ALLOW;
    return mapping;
  }

  private createAges(name: WorkerName, config: Config): WaitingAges {
    const oldest = { period: agePeriod, statistic: Stats.MAXIMUM };
    return {
      messages: this.queue.metricApproximateAgeOfOldestMessage(oldest),
      deferred: pipelineMetric(config, name, 'DeferredOrderAge', { ...oldest, api: apiOf[name] }),
      deadLetters: this.deadLetterQueue.metricApproximateAgeOfOldestMessage(oldest),
    };
  }

  /** An alarm on orders that wait for too long, also while an outage defers them by fresh copies. */
  private delayAlarm(name: WorkerName): AlarmDefinition {
    const { messages, deferred } = this.ages;
    return {
      name: `${name}-falls-behind`,
      severity: 'page',
      metric: new MathExpression({
        label: 'longest wait (s)',
        expression: 'MAX([FILL(messages, 0), FILL(deferred, 0)])',
        usingMetrics: { messages, deferred },
        period: agePeriod,
      }),
      threshold: Duration.minutes(15).toSeconds(),
      // A copy is delayed for up to 15 minutes. Between two of its receives, no line reports its age.
      evaluationPeriods: 4,
      datapointsToAlarm: 1,
      treatMissingData: TreatMissingData.NOT_BREACHING,
      impact: `An order has waited for ${name} for more than 15 minutes.`,
      runbook: 'queue-falls-behind',
      silentWhilePaused: [name],
    };
  }

  /** An alarm that nothing may silence, not even a pause of the worker: SQS deletes what it announces. */
  private retentionAlarm(name: WorkerName): AlarmDefinition {
    const { messages, deadLetters } = this.ages;
    return {
      name: `${name}-nears-retention`,
      severity: 'page',
      metric: new MathExpression({
        label: 'oldest message (s)',
        expression: 'MAX([FILL(messages, 0), FILL(deadLetters, 0)])',
        usingMetrics: { messages, deadLetters },
        period: agePeriod,
      }),
      threshold: retentionPeriod.minus(warningPeriod).toSeconds(),
      treatMissingData: TreatMissingData.NOT_BREACHING,
      impact: `In ${warningPeriod.toDays()} days, SQS deletes messages of the ${name} queue, or its dead letters.`,
      runbook: 'messages-near-the-end-of-their-retention',
    };
  }
}
