import type { LogEvent } from './insights/row';
import type { Period } from './insights/run-query';

/** A query under a name, as the template saves it. */
export interface QueryDefinition {
  readonly id: string;
  readonly name: string;
  readonly queryString: string;
  readonly logGroupNames: readonly string[];
}

/** What is searched. */
export interface Logs {
  readonly logGroups: readonly { readonly name: string; readonly retentionInDays?: number | undefined }[];
  readonly queryDefinitions: readonly QueryDefinition[];
  /** The events of a log group, in any order. Those outside of the period may be among them. */
  read(logGroup: string, period: Period): AsyncIterable<LogEvent>;
}
