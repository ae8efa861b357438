import { Duration, type Stack } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { Grant } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Config } from '../config';
import type { Data } from '../stacks/data';
import { NodeFunction } from './node-function';

/** Where the notifications about issues go. */
interface IssueTopic {
  readonly topic: ITopic;
  readonly key: IKey;
}

/** The Lambda that notifies about issues, every five minutes, and resolves those that are over (docs/adr/0024). */
export const createIssueWatch = (
  stack: Stack,
  config: Config,
  data: Data,
  { topic, key }: IssueTopic,
): NodeFunction => {
  const watch = new NodeFunction(stack, 'issue-watch', {
    config,
    description: 'Notifies when an issue opens, grows or recovers, and resolves issues that are over.',
    timeoutSeconds: 240,
    memoryMb: 256,
    environment: {
      ORDERS_TABLE_NAME: data.orders.tableName,
      OPERATIONS_TABLE_NAME: data.operations.tableName,
      TOPIC_ARN: topic.topicArn,
    },
  });
  data.operations.grants.actions(watch, 'dynamodb:Query', 'dynamodb:UpdateItem');
  const allow = (actions: string[], resource: string) =>
    Grant.addToPrincipal({ grantee: watch, actions, resourceArns: [resource] });
  allow(['dynamodb:Query'], `${data.orders.tableArn}/index/failed-orders`);
  // `topic.grantPublish` would allow more actions on the key.
  allow(['sns:Publish'], topic.topicArn);
  allow(['kms:Decrypt', 'kms:GenerateDataKey'], key.keyArn);

  new Rule(stack, 'every-five-minutes', {
    description: 'Runs the watch over issues.',
    schedule: Schedule.rate(Duration.minutes(5)),
    targets: [new LambdaFunction(watch, { maxEventAge: Duration.minutes(5) })],
  });
  return watch;
};
