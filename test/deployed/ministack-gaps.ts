import type { IAspect } from 'aws-cdk-lib';
import { CfnAlarm } from 'aws-cdk-lib/aws-cloudwatch';
import { CfnQueryDefinition } from 'aws-cdk-lib/aws-logs';
import { CfnSamplingRule } from 'aws-cdk-lib/aws-xray';
import * as z from 'zod';

/** The metrics of an alarm on an expression. The expression itself is an entry without `metricStat`. */
const metricsSchema = z.array(
  z.object({
    metricStat: z
      .object({
        metric: z.object({
          namespace: z.string(),
          metricName: z.string(),
          dimensions: z.array(z.object({ name: z.string(), value: z.string() })).optional(),
        }),
        period: z.int(),
        stat: z.string(),
      })
      .optional(),
  }),
);

/** Replaces the expression of an alarm by its first metric. The alarm stays, because the dashboard refers to it. */
const watchFirstMetric = (alarm: CfnAlarm): void => {
  const metrics = metricsSchema.parse(alarm.metrics);
  const [first] = metrics.flatMap(({ metricStat }) => metricStat ?? []);
  if (first === undefined) throw new Error(`The alarm ${alarm.node.path} has an expression without a metric.`);
  const { metric, period, stat } = first;
  alarm.metrics = undefined;
  alarm.namespace = metric.namespace;
  alarm.metricName = metric.metricName;
  alarm.dimensions = metric.dimensions;
  alarm.period = period;
  alarm.statistic = stat;
};

/**
 * Removes the resources that CloudFormation in MiniStack cannot create (docs/adr/0006): saved queries, sampling rules, and
 * the expressions of alarms.
 */
export const miniStackGaps: IAspect = {
  visit: (node) => {
    if (node instanceof CfnQueryDefinition || node instanceof CfnSamplingRule) {
      node.node.scope?.node.tryRemoveChild(node.node.id);
    } else if (node instanceof CfnAlarm && node.metrics !== undefined) {
      watchFirstMetric(node);
    }
  },
};
