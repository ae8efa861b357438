import { Aws, RemovalPolicy } from 'aws-cdk-lib';
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Construct } from 'constructs';
import type { Config } from '../config';

/** How urgent an alarm is (docs/adr/0021): `page` needs a person now, `ticket` on the next working day. */
export const severities = ['page', 'ticket'] as const;
export type Severity = (typeof severities)[number];

/** The topic of each severity, and the key that encrypts both. */
export type AlarmTopics = Readonly<Record<Severity, Topic>> & { readonly key: Key };

/** Creates both topics, to which CloudWatch may publish, and subscribes the e-mail addresses of the stage. */
export const createAlarmTopics = (scope: Construct, config: Config): AlarmTopics => {
  // CloudWatch cannot use the AWS managed key of SNS, so topics for alarms need their own key.
  const masterKey = new Key(scope, 'alarms-key', {
    description: "Encrypts the alarms' topics of the marketplace event pipeline.",
    enableKeyRotation: true,
    removalPolicy: RemovalPolicy.DESTROY,
  });
  const topicOf = (severity: Severity): Topic => {
    const topic = new Topic(scope, `${severity}-alarms`, {
      topicName: `${config.stage}-marketplace-${severity}`,
      displayName: `Marketplace event pipeline (${config.stage}, ${severity})`,
      masterKey,
      enforceSSL: true,
    });
    topic.grantPublish(
      new ServicePrincipal('cloudwatch.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } },
      }),
    );
    const email = config.alarmEmails?.[severity];
    if (email) topic.addSubscription(new EmailSubscription(email));
    return topic;
  };
  return { page: topicOf('page'), ticket: topicOf('ticket'), key: masterKey };
};
