import { paginateGetMetricData } from '@aws-sdk/client-cloudwatch';
import { createLogService, type SearchPeriod } from './logs';
import type { StageConnection } from './stage-connection';

/** What a query would read, and its price. */
export interface LogCost {
  readonly bytes: number;
  readonly usd: number;
}

/** List price of CloudWatch Logs Insights in us-east-1. */
const usdPerGb = 0.005;
const hourSeconds = 3_600;

/**
 * Estimates a query over all log groups of a stage from what was written to them in its period. On a local stage it is
 * free.
 */
export const estimateLogCost = async (stage: StageConnection, { since, until }: SearchPeriod): Promise<LogCost> => {
  const logGroups = await createLogService(stage).listLogGroups();
  const pages = paginateGetMetricData(
    { client: stage.cloudWatch },
    {
      StartTime: since,
      EndTime: until,
      MetricDataQueries: logGroups.map((Value, index) => ({
        Id: `group_${index}`,
        MetricStat: {
          Metric: {
            Namespace: 'AWS/Logs',
            MetricName: 'IncomingBytes',
            Dimensions: [{ Name: 'LogGroupName', Value }],
          },
          Period: hourSeconds,
          Stat: 'Sum',
        },
      })),
    },
  );
  let bytes = 0;
  for await (const { MetricDataResults = [] } of pages) {
    for (const { Values = [] } of MetricDataResults) for (const value of Values) bytes += value;
  }
  return { bytes, usd: stage.local ? 0 : (bytes / 1e9) * usdPerGb };
};
