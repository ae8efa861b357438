import { LogGroup as LogsGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import type { Config } from '../config';
import { removalOfNamed } from '../removal';

/** A log group with a readable name and the log retention of the stage. */
export class LogGroup extends LogsGroup {
  constructor(scope: Construct, id: string, { config, name }: { readonly config: Config; readonly name: string }) {
    super(scope, id, {
      logGroupName: name,
      retention: config.logRetentionDays,
      removalPolicy: removalOfNamed(config),
    });
  }
}
