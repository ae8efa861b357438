import type { LogEvent } from './insights/row';
import type { Period } from './insights/run-query';
import type { WrittenLogs } from './written-logs';

/** A saved query of the template. */
export interface QueryDefinition {
  readonly id: string;
  readonly name: string;
  readonly queryString: string;
  readonly logGroupNames: readonly string[];
}

/** The log groups and saved queries of an application. */
export interface Logs {
  readonly logGroups: readonly { readonly name: string; readonly retentionInDays?: number | undefined }[];
  readonly queryDefinitions: readonly QueryDefinition[];
  /** The events that programs put; {@link Logs.read} includes them. */
  readonly written: WrittenLogs;
  /** Reads the events of a log group, in any order. Can include events outside the period. */
  read(logGroup: string, period: Period): AsyncIterable<LogEvent>;
}
