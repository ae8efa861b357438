import { Aws, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Dashboard, type Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { CfnQueryDefinition, FilterPattern, MetricFilter, type MetricFilterProps } from 'aws-cdk-lib/aws-logs';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { CfnSamplingRule } from 'aws-cdk-lib/aws-xray';
import type { Construct } from 'constructs';
import type { Config } from '../config';
import { Alarm } from '../constructs/alarm';
import { webhookRoute } from '../constructs/webhook-api';
import { metricsNamespace } from '../metrics';
import { dashboardRows } from '../observability/dashboard';
import { functionAlarms } from '../observability/function-alarms';
import { type CountedLines, orderAlarms } from '../observability/order-alarms';
import { savedQueries } from '../observability/saved-queries';
import { syncAlarms } from '../observability/sync-alarms';
import type { Data } from './data';
import type { OrderPipeline } from './order-pipeline';
import type { SyncJobs } from './sync-jobs';

/** Alarms and their topic, the dashboard, and saved queries. */
export class Observability extends Stack {
  constructor(scope: Construct, config: Config, data: Data, pipeline: OrderPipeline, syncJobs: SyncJobs) {
    super(scope, `${config.stage}-Observability`, {
      description: 'Marketplace event pipeline: alarms, dashboard and saved queries.',
    });
    const functions = Object.values(pipeline.functions);

    const lines: CountedLines = {
      webhookErrors: this.count(config, 'webhook-error-lines', 'WebhookErrorLines', {
        logGroup: pipeline.functions.webhook.logGroup,
        filterPattern: FilterPattern.stringValue('$.level', '=', 'ERROR'),
      }),
      // Throttled calls of untrusted callers to other routes lose no webhook.
      throttledWebhooks: this.count(config, 'throttled-webhooks', 'WebhookThrottled', {
        logGroup: pipeline.apiLogs,
        filterPattern: FilterPattern.all(
          FilterPattern.stringValue('$.status_code', '=', '429'),
          FilterPattern.stringValue('$.route', '=', webhookRoute),
        ),
      }),
    };

    const topic = this.alarmTopic(config);
    const alarms = [
      ...Object.entries(pipeline.functions).flatMap(([name, lambda]) => functionAlarms(name, lambda)),
      ...Object.values(pipeline.queues).flatMap((queue) => queue.alarms),
      pipeline.continuationAlarm,
      ...orderAlarms(config, pipeline, lines),
      ...syncAlarms(config, syncJobs),
    ].map((definition) => new Alarm(this, { config, definition, topic }));

    const all = [...functions, ...Object.values(syncJobs.functions)];
    const logGroups = [...all.map(({ logGroup }) => logGroup), pipeline.apiLogs, syncJobs.stateMachine.logGroup];
    const logGroupNames = logGroups.map(({ logGroupName }) => logGroupName);

    new Dashboard(this, 'dashboard', {
      dashboardName: `${config.stage}-marketplace`,
      defaultInterval: Duration.days(1),
      widgets: dashboardRows(config, { data, pipeline, syncJobs, logGroupNames, lines }, alarms),
    });

    // Sampling rules affect only the state machine: Lambda always traces one call per second and 5 % of the others.
    new CfnSamplingRule(this, 'sampling', {
      samplingRule: {
        ...{ ruleName: `${config.stage}-marketplace`, version: 1, priority: 100 },
        ...{ serviceName: syncJobs.stateMachine.name, serviceType: '*', resourceArn: '*' },
        ...{ host: '*', httpMethod: '*', urlPath: '*' },
        ...{ fixedRate: 1, reservoirSize: 0 },
      },
    });

    for (const { name, lines } of savedQueries) {
      new CfnQueryDefinition(this, name.replaceAll(/\W/g, ''), {
        name: `${config.stage}-marketplace/${name}`,
        queryString: lines.join('\n'),
        logGroupNames,
      });
    }
  }

  /** A metric with the number of lines in a log group that match a pattern. */
  private count(
    { stage }: Config,
    id: string,
    metric: string,
    lines: Pick<MetricFilterProps, 'logGroup' | 'filterPattern'>,
  ): Metric {
    const filter = new MetricFilter(this, id, {
      ...lines,
      metricNamespace: metricsNamespace,
      metricName: `${stage}-${metric}`,
    });
    return filter.metric({ statistic: Stats.SUM, period: Duration.minutes(5) });
  }

  private alarmTopic(config: Config): Topic {
    const topic = new Topic(this, 'alarms', {
      displayName: `Marketplace event pipeline (${config.stage})`,
      // CloudWatch cannot use the AWS managed key of SNS, so a topic for alarms needs its own key.
      masterKey: new Key(this, 'alarms-key', {
        description: "Encrypts the alarms' topic of the marketplace event pipeline.",
        enableKeyRotation: true,
        removalPolicy: RemovalPolicy.DESTROY,
      }),
      enforceSSL: true,
    });
    topic.grantPublish(
      new ServicePrincipal('cloudwatch.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } },
      }),
    );
    if (config.alarmEmail) topic.addSubscription(new EmailSubscription(config.alarmEmail));
    return topic;
  }
}
