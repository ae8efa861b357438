import { Duration } from 'aws-cdk-lib';
import { Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { Config } from '../config';
import type { AlarmDefinition } from './alarm';

/** Receive count after which SQS moves a message to the dead-letter queue. */
export const maxReceiveCount = 5;

/** The maximum of SQS. An unreceived message, e.g. while the event source mapping is disabled, is kept this long. */
export const retentionPeriod = Duration.days(14);

interface QueuePairProps {
  readonly config: Config;
  readonly visibilityTimeout: Duration;
  /** Impact and runbook of the alarm on dead letters. */
  readonly deadLetters: Pick<AlarmDefinition, 'impact' | 'runbook'>;
}

/** A queue, its dead-letter queue, and an alarm on a dead-letter queue that is not empty. */
export class QueuePair extends Construct {
  readonly queue: Queue;
  readonly deadLetterQueue: Queue;
  readonly deadLetterAlarm: AlarmDefinition;

  constructor(scope: Construct, name: string, { config, visibilityTimeout, deadLetters }: QueuePairProps) {
    super(scope, `${name}-queue`);
    const queueName = `${config.stage}-marketplace-${name}`;
    const safe = { encryption: QueueEncryption.SQS_MANAGED, enforceSSL: true, retentionPeriod };
    this.deadLetterQueue = new Queue(this, 'dead-letters', { ...safe, queueName: `${queueName}-dead-letters` });
    this.queue = new Queue(this, 'messages', {
      ...safe,
      queueName,
      visibilityTimeout,
      deadLetterQueue: { queue: this.deadLetterQueue, maxReceiveCount },
    });
    this.deadLetterAlarm = {
      name: `${name}-dead-letters`,
      severity: 'ticket',
      metric: this.deadLetterQueue.metricApproximateNumberOfMessagesVisible({
        period: Duration.minutes(5),
        statistic: Stats.MAXIMUM,
      }),
      threshold: 0,
      treatMissingData: TreatMissingData.NOT_BREACHING,
      ...deadLetters,
    };
  }
}
