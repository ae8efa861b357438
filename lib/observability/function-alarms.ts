import { Duration } from 'aws-cdk-lib';
import { MathExpression, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { AlarmDefinition } from '../constructs/alarm';
import type { Severity } from '../constructs/alarm-topics';
import type { OrderFunctions } from '../constructs/order-functions';

type FunctionName = keyof OrderFunctions | 'issue-watch';

/** A failing webhook or worker delays every order. The reconciler only finds orders whose webhooks were lost. */
const failureSeverity = {
  webhook: 'page',
  download: 'page',
  processing: 'page',
  reconciler: 'ticket',
  'issue-watch': 'ticket',
} as const satisfies Record<FunctionName, Severity>;
/** Qualia does not send a throttled webhook again. Throttled work of the others waits. */
const throttleSeverity = {
  webhook: 'page',
  download: 'ticket',
  processing: 'ticket',
  reconciler: 'ticket',
  'issue-watch': 'ticket',
} as const satisfies Record<FunctionName, Severity>;

const alarmsOf = (name: FunctionName, lambda: IFunction): readonly AlarmDefinition[] => {
  const period = Duration.minutes(5);
  return [
    {
      name: `${name}-fails`,
      severity: failureSeverity[name],
      metric: new MathExpression({
        label: 'error rate (%)',
        // A single failure is no rate: Lambda or SQS retries it.
        expression: 'IF(errors > 1, 100 * errors / invocations, 0)',
        usingMetrics: { errors: lambda.metricErrors({ period }), invocations: lambda.metricInvocations({ period }) },
        period,
      }),
      threshold: 5,
      treatMissingData: TreatMissingData.NOT_BREACHING,
      impact: `More than 5 % of the invocations of the Lambda ${name}, and more than one, crash or time out.`,
      runbook: 'function-fails',
    },
    {
      name: `${name}-is-throttled`,
      severity: throttleSeverity[name],
      metric: lambda.metricThrottles({ period, statistic: Stats.SUM }),
      threshold: 0,
      treatMissingData: TreatMissingData.NOT_BREACHING,
      impact: `Lambda throttles ${name}: the account's concurrency is used up, and its work waits.`,
      runbook: 'function-is-throttled',
    },
  ];
};

/** Alarms on the failures and throttles of the Lambdas of the order flow, and of the watch over issues. */
export const functionAlarms = (functions: Readonly<Record<FunctionName, IFunction>>): readonly AlarmDefinition[] =>
  (Object.keys(failureSeverity) as FunctionName[]).flatMap((name) => alarmsOf(name, functions[name]));
