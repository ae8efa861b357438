/**
 * CloudWatch Logs Insights queries that are deployed with the stacks, named after what they show. The ids in them are
 * placeholders, which `pipeline logs` replaces.
 */
export const savedQueries: readonly { readonly name: string; readonly lines: readonly string[] }[] = [
  {
    name: 'One order, step by step',
    lines: ['fields @timestamp, order_id, status', '| filter order_id = "QO-123456"', '| sort @timestamp asc'],
  },
  {
    name: 'Errors over time',
    lines: ['fields @timestamp, error', '| filter level = "ERROR"', '| stats count() by bin(5m)'],
  },
  {
    name: 'Response times (mean, longest, p95)',
    lines: [
      'fields @timestamp, response_time_ms',
      '| filter response_time_ms > 0',
      '| stats avg(response_time_ms), max(response_time_ms), pct(response_time_ms, 95)',
    ],
  },
  {
    name: 'One request, through every Lambda',
    lines: [
      'fields @timestamp, service, level, message, order_id, status, outcome, error_code',
      '| filter request_id = "00000000-0000-0000-0000-000000000000"',
      '| sort @timestamp asc',
    ],
  },
  {
    name: 'One sync run, step by step',
    lines: [
      'fields @timestamp, service, level, message, portal, step, phase, done, total, rate_per_second, error_code, error',
      '| filter run_id = "nightly-2026-11-22"',
      '| sort @timestamp asc',
    ],
  },
  {
    name: 'Failures by error code',
    lines: [
      'filter status = "FAILED"',
      '| stats count() as failures, latest(error) as last_error by error_code, stage_failed',
      '| sort failures desc',
    ],
  },
  {
    name: 'Retries by API',
    lines: [
      'filter level = "WARN" and ispresent(api)',
      '| stats count() as retries, max(attempt) as last_attempt, max(receive) as last_receive, max(wait_seconds) as longest_wait_seconds by api, error_code, status_code',
      '| sort retries desc',
    ],
  },
  {
    name: 'Slowest calls',
    lines: [
      'fields @timestamp, service, order_id, status, response_time_ms',
      '| filter response_time_ms > 0',
      '| sort response_time_ms desc',
      '| limit 50',
    ],
  },
  {
    name: 'Refused webhooks by reason',
    lines: [
      'filter service = "webhook" and level = "WARN" and ispresent(reason)',
      '| stats count() as refusals by reason, source_ip',
      '| sort refusals desc',
    ],
  },
  {
    name: 'API calls answered 429 or 5xx',
    lines: [
      'filter ispresent(api_request_id) and status_code like /^(429|5)/',
      '| stats count() as calls, latest(integration_error) as last_integration_error by status_code, route, error',
      '| sort calls desc',
    ],
  },
];
