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
    name: 'One order, every event',
    lines: [
      'fields @timestamp, service, level, message, request_id, status, outcome, error_code, error, attempt, receive, wait_seconds',
      '| filter order_id = "QO-123456"',
      '| sort @timestamp asc',
    ],
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
      'fields @timestamp, service, level, message, order_id, status, outcome, error_code, error, attempt, receive, wait_seconds',
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
  {
    name: 'Orders that came in and were never closed',
    lines: [
      'filter ispresent(order_id) and level != "DEBUG"',
      '| fields strcontains(coalesce(status, ""), "PROCESSED") + strcontains(coalesce(status, ""), "FAILED") as closes',
      '| fields toMillis(@timestamp) * closes as closed_ms, toMillis(@timestamp) * (1 - closes) as open_ms',
      '| stats min(@timestamp) as first_line, max(@timestamp) as last_line, max(closed_ms) as last_closed_ms, max(open_ms) as last_open_ms by order_id',
      '| filter last_open_ms > last_closed_ms',
      '| display order_id, first_line, last_line',
      '| sort first_line asc',
    ],
  },
  {
    name: 'Portals of a sync run by duration',
    lines: [
      'filter run_id = "nightly-2026-11-22" and ispresent(portal)',
      '| fields toMillis(@timestamp) / 1000 as seconds',
      '| stats max(seconds) - min(seconds) as duration_seconds, max(done) as most_done, max(total) as most_total, count(*) as events by portal',
      '| sort duration_seconds desc',
    ],
  },
  {
    name: 'Cold starts with their duration',
    lines: [
      'filter ispresent(init_ms)',
      '| stats count_distinct(function_request_id) as cold_starts, avg(init_ms), max(init_ms), pct(init_ms, 95) by service, version',
      '| sort cold_starts desc',
    ],
  },
  {
    name: 'Memory headroom by function',
    lines: [
      'filter ispresent(memory_used_mb)',
      '| stats max(memory_used_mb) as most_used_mb, max(memory_size_mb) as size_mb, 100 - 100 * max(memory_used_mb) / max(memory_size_mb) as headroom_percent by service',
      '| sort headroom_percent asc',
    ],
  },
  {
    // An estimate: lines have no billed duration, because Lambda's own reports are off. The time of an invocation is that
    // between its first and its last event, and an invocation that writes no line does not count.
    // On arm64: 0.0000133334 USD per GB-second, 0.20 USD per million invocations.
    name: 'Compute cost by function (estimate)',
    lines: [
      'filter ispresent(function_request_id)',
      '| fields toMillis(@timestamp) as ended_ms, toMillis(@timestamp) - coalesce(response_time_ms, turn_ms, attempt_ms, 0) as started_ms, coalesce(init_ms, 0) as start_ms',
      '| stats max(ended_ms) - min(started_ms) + max(start_ms) as billed_ms, max(memory_size_mb) as size_mb by service, function_request_id',
      '| stats count(*) as invocations, sum(billed_ms) / 1000 as seconds, max(size_mb) as memory_mb, sum(billed_ms) / 1000 * max(size_mb) / 1024 * 0.0000133334 + count(*) * 0.0000002 as usd by service',
      '| sort usd desc',
    ],
  },
  {
    // 0.50 USD per GB of ingested logs.
    name: 'Cost of the logs by function',
    lines: [
      'fields strlen(@message) as bytes',
      '| stats count(*) as events, sum(bytes) / 1000000 as megabytes, sum(bytes) * 0.5 / 1000000000 as usd by @log',
      '| sort usd desc',
    ],
  },
];
