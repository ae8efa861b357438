import { Duration } from 'aws-cdk-lib';
import { ComparisonOperator, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { Config } from '../config';
import type { AlarmDefinition } from '../constructs/alarm';
import type { SyncJobs } from '../stacks/sync-jobs';

/** Alarms on the sync runs. Their Lambdas have none: a failed Lambda fails the execution, and one alarm is enough. */
export const syncAlarms = (config: Config, { stateMachine: { machine } }: SyncJobs): readonly AlarmDefinition[] => {
  const period = Duration.minutes(5);
  const ends = { threshold: 0, treatMissingData: TreatMissingData.NOT_BREACHING };
  const runs: readonly AlarmDefinition[] = [
    {
      ...ends,
      name: 'sync-failed',
      metric: machine.metricFailed({ period, statistic: Stats.SUM }),
      impact: 'A sync run failed: contacts or users of the day are missing or incomplete.',
      runbook: 'sync-run-failed',
    },
    {
      ...ends,
      name: 'sync-timed-out',
      metric: machine.metricTimedOut({ period, statistic: Stats.SUM }),
      impact: 'A sync run did not finish within 24 hours and was stopped.',
      runbook: 'sync-run-timed-out',
    },
  ];
  if (!config.syncScheduled) return runs;
  return [
    ...runs,
    {
      name: 'no-sync-run',
      metric: machine.metricStarted({ period: Duration.hours(1), statistic: Stats.SUM }),
      threshold: 1,
      comparison: ComparisonOperator.LESS_THAN_THRESHOLD,
      evaluationPeriods: 26,
      treatMissingData: TreatMissingData.BREACHING,
      impact: 'No sync was started for 26 hours: its schedule may be off.',
      runbook: 'no-sync-run-for-26-hours',
    },
  ];
};
