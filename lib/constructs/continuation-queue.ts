import { Duration } from 'aws-cdk-lib';
import { type CfnFunction, RecursiveLoop } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import type { Config } from '../config';
import type { AlarmDefinition } from './alarm';
import type { NodeFunction } from './node-function';
import { QueuePair } from './queue-pair';

interface ContinuationQueueProps {
  readonly config: Config;
  readonly functionTimeoutSeconds: number;
  readonly deadLetters: Pick<AlarmDefinition, 'impact' | 'runbook'>;
}

/** A queue through which a Lambda continues its work in a new invocation. */
export class ContinuationQueue extends QueuePair {
  constructor(scope: Construct, name: string, { config, functionTimeoutSeconds, deadLetters }: ContinuationQueueProps) {
    super(scope, name, {
      config,
      // Slightly longer than an invocation: with one message per invocation there is no batch to retry.
      visibilityTimeout: Duration.seconds(functionTimeoutSeconds + 60),
      deadLetters,
    });
  }

  /** Invokes `worker` with each message of the queue, and allows it to send messages there. */
  connect(worker: NodeFunction): void {
    worker.addEventSourceMapping('messages', { eventSourceArn: this.queue.queueArn, batchSize: 1, maxConcurrency: 2 });
    // The poller uses the role of the worker.
    this.queue.grants.actions(worker, ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes']);
    this.queue.grants.actions(worker, ['sqs:SendMessage']);
    // Lambda would treat the 16th continuation as a loop and dead-letter it. The chain ends when the work is done.
    (worker.node.defaultChild as CfnFunction).recursiveLoop = RecursiveLoop.ALLOW;
  }
}
