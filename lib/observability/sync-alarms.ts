import { Duration } from 'aws-cdk-lib';
import { ComparisonOperator, MathExpression, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { Config } from '../config';
import type { AlarmDefinition } from '../constructs/alarm';
import { pipelineMetric } from '../metrics';
import type { SyncJobs } from '../stacks/sync-jobs';

/** What all alarms on runs have in common. A run is nightly, so that the next working day is soon enough. */
const onRuns = { severity: 'ticket', treatMissingData: TreatMissingData.NOT_BREACHING } as const;

/** Alarms on how the executions end. */
const executionAlarms = ({ stateMachine: { machine } }: SyncJobs): readonly AlarmDefinition[] => {
  const period = Duration.minutes(5);
  return [
    {
      ...onRuns,
      name: 'sync-failed',
      metric: machine.metricFailed({ period, statistic: Stats.SUM }),
      threshold: 0,
      impact: 'A sync run failed: contacts or users of the day are missing or incomplete.',
      runbook: 'sync-run-failed',
    },
    {
      ...onRuns,
      name: 'sync-timed-out',
      metric: machine.metricTimedOut({ period, statistic: Stats.SUM }),
      threshold: 0,
      impact: 'A sync run did not finish within 24 hours and was stopped.',
      runbook: 'sync-run-timed-out',
    },
  ];
};

/** Alarms on what the runs read and leave out. */
const contentAlarms = (config: Config): readonly AlarmDefinition[] => {
  const period = Duration.hours(1);
  const sum = (service: string, name: string) =>
    pipelineMetric(config, service, name, { statistic: Stats.SUM, period });
  const lowest = (name: string) =>
    pipelineMetric(config, 'iterable-extract', name, { statistic: Stats.MINIMUM, period });
  return [
    {
      ...onRuns,
      name: 'sync-partial',
      metric: pipelineMetric(config, 'finish-run', 'SyncRunPartial', {
        statistic: Stats.SUM,
        period: Duration.minutes(5),
      }),
      threshold: 0,
      impact: 'A sync run ended PARTIAL: some portals or users are missing in its results.',
      runbook: 'sync-run-partial',
    },
    ...(['netlife-collect', 'iterable-extract'] as const).map(
      (service): AlarmDefinition => ({
        ...onRuns,
        name: `${service}-rejects-rows`,
        metric: new MathExpression({
          label: 'rejected rows (%)',
          expression: 'IF(rejected > 19, 100 * rejected / rows, 0)',
          usingMetrics: { rejected: sum(service, 'SyncRejectedRows'), rows: sum(service, 'SyncRowsRead') },
          period,
        }),
        threshold: 5,
        impact: `More than 5 % of the rows that ${service} read, and at least 20, were left out of the sync.`,
        runbook: 'sync-rejects-rows',
      }),
    ),
    {
      ...onRuns,
      name: 'sync-users-fell',
      metric: new MathExpression({
        label: "users (% of the week's median)",
        expression: 'IF(median > 99, 100 * users / median, IF(users < 1, 0, 100))',
        usingMetrics: { users: lowest('SyncUsersRead'), median: lowest('SyncUsersMedian') },
        period,
      }),
      threshold: 50,
      comparison: ComparisonOperator.LESS_THAN_THRESHOLD,
      impact:
        'The Iterable sync read less than half of the users of a usual day: the query or its tables have changed.',
      runbook: 'users-fell-by-half',
    },
  ];
};

/** Alarms on the sync runs. Their Lambdas have none: a failed Lambda fails the execution, and one alarm is enough. */
export const syncAlarms = (config: Config, syncJobs: SyncJobs): readonly AlarmDefinition[] => {
  const idle: AlarmDefinition = {
    name: 'no-sync-run',
    severity: 'ticket',
    metric: syncJobs.stateMachine.machine.metricStarted({ period: Duration.hours(1), statistic: Stats.SUM }),
    threshold: 1,
    comparison: ComparisonOperator.LESS_THAN_THRESHOLD,
    evaluationPeriods: 26,
    treatMissingData: TreatMissingData.BREACHING,
    impact: 'No sync was started for 26 hours: its schedule may be off.',
    runbook: 'no-sync-run-for-26-hours',
    silentWhilePaused: ['sync'],
  };
  return [...executionAlarms(syncJobs), ...contentAlarms(config), ...(config.syncScheduled ? [idle] : [])];
};
