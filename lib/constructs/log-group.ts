import { LogGroup as LogsGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import type { Config } from '../config';
import { removalOfNamed } from '../removal';

interface LogGroupProps {
  readonly config: Config;
  readonly name: string;
  /** Default: the log retention of the stage. */
  readonly retention?: RetentionDays;
}

/** A log group with a readable name. */
export class LogGroup extends LogsGroup {
  constructor(scope: Construct, id: string, { config, name, retention }: LogGroupProps) {
    super(scope, id, {
      logGroupName: name,
      retention: retention ?? config.logRetentionDays,
      removalPolicy: removalOfNamed(config),
    });
  }
}
