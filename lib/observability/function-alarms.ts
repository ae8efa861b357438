import { Duration } from 'aws-cdk-lib';
import { MathExpression, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { AlarmDefinition } from '../constructs/alarm';

/**
 * Alarms on the failures and throttles of a Lambda.
 *
 * @param name name of the Lambda, e.g. `webhook`
 */
export const functionAlarms = (name: string, lambda: IFunction): readonly AlarmDefinition[] => {
  const period = Duration.minutes(5);
  return [
    {
      name: `${name}-fails`,
      metric: new MathExpression({
        label: 'error rate (%)',
        // A single failure is no rate: Lambda or SQS retries it.
        expression: 'IF(errors > 1, 100 * errors / invocations, 0)',
        usingMetrics: { errors: lambda.metricErrors({ period }), invocations: lambda.metricInvocations({ period }) },
        period,
      }),
      threshold: 5,
      treatMissingData: TreatMissingData.NOT_BREACHING,
      impact: `More than 5 % of the invocations of the Lambda ${name} crash or time out.`,
      runbook: 'function-fails',
    },
    {
      name: `${name}-is-throttled`,
      metric: lambda.metricThrottles({ period, statistic: Stats.SUM }),
      threshold: 0,
      treatMissingData: TreatMissingData.NOT_BREACHING,
      impact: `Lambda throttles ${name}: the account's concurrency is used up, and its work waits.`,
      runbook: 'function-is-throttled',
    },
  ];
};
