/** The words that an editor of queries completes. */
export interface LogVocabulary {
  readonly commands: readonly string[];
  readonly functions: readonly string[];
  readonly fields: readonly string[];
}

/** The words of CloudWatch Logs Insights that local stages know too, and the fields of our lines (docs/contracts/logs.md). */
export const logVocabulary: LogVocabulary = {
  commands: ['fields', 'display', 'filter', 'parse', 'stats', 'sort', 'dedup', 'limit'],
  functions: [
    ...['count', 'sum', 'avg', 'min', 'max', 'pct', 'median', 'stddev', 'count_distinct', 'earliest', 'latest', 'bin'],
    ...['coalesce', 'concat', 'strlen', 'strcontains', 'toupper', 'tolower', 'trim', 'substr', 'replace', 'ispresent'],
    ...['isempty', 'isblank', 'abs', 'ceil', 'floor', 'sqrt', 'log', 'datefloor', 'dateceil', 'fromMillis', 'toMillis'],
  ],
  fields: [
    ...['@timestamp', '@message', '@log', '@logStream', 'level', 'service', 'message', 'order_id', 'request_id'],
    ...['run_id', 'portal', 'status', 'outcome', 'error', 'error_code', 'status_code', 'attempt', 'receive', 'api'],
    ...['wait_seconds', 'reason', 'round', 'notification_type', 'response_time_ms', 'attempt_ms', 'age_seconds'],
    ...[
      'source_ip',
      'details',
      'payload_size',
      's3_key',
      'checksum',
      'stage_failed',
      'state_code',
      'step',
      'phase',
      'check',
    ],
    ...['done', 'total', 'rate_per_second', 'turn_ms', 'init_ms', 'cold_start', 'function_name', 'stage', 'version'],
  ],
};
