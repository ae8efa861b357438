import { CfnOutput, Duration, Stack } from 'aws-cdk-lib';
import { Dashboard, type Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { CfnQueryDefinition, FilterPattern, MetricFilter, type MetricFilterProps } from 'aws-cdk-lib/aws-logs';
import { CfnSamplingRule } from 'aws-cdk-lib/aws-xray';
import type { Construct } from 'constructs';
import { type Config, pausableParts } from '../config';
import { Alarm } from '../constructs/alarm';
import { createAlarmTopics } from '../constructs/alarm-topics';
import { createIssueWatch } from '../constructs/issue-watch';
import { createResumeRole } from '../constructs/resume-role';
import { webhookRoute } from '../constructs/webhook-api';
import { metricsNamespace } from '../metrics';
import { dashboardRows } from '../observability/dashboard';
import { functionAlarms } from '../observability/function-alarms';
import { orderAlarms } from '../observability/order-alarms';
import { savedQueries } from '../observability/saved-queries';
import { syncAlarms } from '../observability/sync-alarms';
import { type CountedLines, webhookAlarms } from '../observability/webhook-alarms';
import type { Data } from './data';
import type { OrderPipeline } from './order-pipeline';
import type { SyncJobs } from './sync-jobs';

/** Alarms and their topics, the watch over issues, the dashboard, and saved queries. */
export class Observability extends Stack {
  constructor(scope: Construct, config: Config, data: Data, pipeline: OrderPipeline, syncJobs: SyncJobs) {
    super(scope, `${config.stage}-Observability`, {
      description: 'Marketplace event pipeline: alarms, notifications about issues, dashboard and saved queries.',
    });

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

    const topics = createAlarmTopics(this, config);
    // It is in this stack, because the topics are.
    const issueWatch = createIssueWatch(this, config, data, { topic: topics.ticket, key: topics.key });
    const alarms = [
      ...functionAlarms({ ...pipeline.functions, 'issue-watch': issueWatch }),
      ...Object.values(pipeline.queues).flatMap((queue) => queue.alarms),
      pipeline.continuationAlarm,
      ...webhookAlarms(config, pipeline, lines),
      ...orderAlarms(config),
      ...syncAlarms(config, syncJobs),
    ].map((definition) => new Alarm(this, { config, definition, topics }));

    this.describePauses(alarms);
    new CfnOutput(this, 'ResumeRoleArn', { value: createResumeRole(this, { pipeline, syncJobs, alarms }).roleArn });

    const all = [...Object.values(pipeline.functions), issueWatch, ...Object.values(syncJobs.functions)];
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
        ruleName: `${config.stage}-marketplace`,
        version: 1,
        priority: 100,
        serviceName: syncJobs.stateMachine.name,
        serviceType: '*',
        resourceArn: '*',
        host: '*',
        httpMethod: '*',
        urlPath: '*',
        fixedRate: 1,
        reservoirSize: 0,
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

  /** Outputs the names of the alarms that are silent while a part is paused. */
  private describePauses(alarms: readonly Alarm[]): void {
    for (const part of pausableParts) {
      const names = alarms.filter(({ silentWhilePaused }) => silentWhilePaused.includes(part));
      // A stage without the alarm has an empty list, which no output can have.
      const value = names.map(({ nameInStage }) => nameInStage).join(',') || 'none';
      new CfnOutput(this, `AlarmsSilentWhile${part[0]?.toUpperCase()}${part.slice(1)}Paused`, { value });
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
}
