import { parseQuery } from '../../../../emulator/logs/insights/parse-query';
import { runQuery } from '../../../../emulator/logs/insights/run-query';
import { savedQueries } from '../../../../lib/observability/saved-queries';

const requestId = '00000000-0000-0000-0000-000000000000';
const order = { order_id: 'QO-123456', request_id: requestId };
const another = { order_id: 'QO-1', request_id: 'another' };
const run = { run_id: 'nightly-2026-11-22' };
const retry = { level: 'WARN', message: 'a try failed, will retry' };
const refusal = { service: 'webhook', level: 'WARN', message: 'webhook refused', source_ip: '203.0.113.7' };
const apiCall = { api_request_id: 'JKJaXmPLvHcESHA=', route: 'POST /webhooks/qualia', error: '-' };
const failure = { level: 'ERROR', status: 'FAILED', stage_failed: 'download', error_code: 'ORDER_NOT_FOUND' };

const start = { service: 'reconciler', version: '1.0.0', memory_size_mb: 512 };

/** Log lines, one per minute from 08:00. */
const lines: readonly object[] = [
  {
    service: 'webhook',
    level: 'INFO',
    message: 'webhook accepted',
    ...order,
    status: 'NOTIFIED',
    response_time_ms: 20,
  },
  {
    service: 'download',
    ...retry,
    ...order,
    api: 'qualia',
    error_code: 'RATE_LIMITED',
    status_code: 429,
    attempt: 1,
    wait_seconds: 0.5,
  },
  {
    service: 'download',
    ...retry,
    ...another,
    api: 'qualia',
    error_code: 'RATE_LIMITED',
    status_code: 429,
    attempt: 2,
    wait_seconds: 9.5,
  },
  {
    service: 'download',
    level: 'INFO',
    message: 'order downloaded',
    ...order,
    status: 'DOWNLOADED',
    response_time_ms: 400,
  },
  {
    service: 'processing',
    ...retry,
    ...order,
    api: 'internal',
    error_code: 'CONNECTION_FAULT',
    attempt: 1,
    wait_seconds: 1,
  },
  {
    service: 'processing',
    level: 'INFO',
    message: 'order processed',
    ...order,
    status: 'PROCESSED',
    outcome: 'posted',
    response_time_ms: 180,
  },
  { service: 'download', ...failure, ...another, error: 'The order does not exist in Qualia' },
  { service: 'download', ...failure, order_id: 'QO-2', error: 'The order still does not exist in Qualia' },
  {
    service: 'processing',
    ...failure,
    order_id: 'QO-3',
    error_code: 'UNKNOWN_STATE',
    stage_failed: 'processing',
    error: 'A state',
  },
  { ...refusal, reason: 'unauthorized' },
  { ...refusal, reason: 'unauthorized' },
  { ...refusal, reason: 'invalid_json' },
  {
    service: 'netlife-collect',
    ...retry,
    ...run,
    portal: 'nowandgen',
    api: 'netlife',
    error_code: 'TIMEOUT',
    attempt: 1,
    wait_seconds: 1,
  },
  {
    service: 'netlife-collect',
    level: 'INFO',
    message: 'sync step',
    ...run,
    portal: 'nowandgen',
    step: 'netlife_collect',
    done: 2,
    total: 2,
  },
  { ...apiCall, status_code: '200', integration_error: '-' },
  { ...apiCall, status_code: '429', error: 'Too Many Requests', integration_error: '-' },
  { ...apiCall, status_code: '503', error: 'Service Unavailable', integration_error: 'Rate Exceeded.' },
  { ...apiCall, status_code: '503', error: 'Service Unavailable', integration_error: 'The Lambda is throttled.' },
  { _aws: {}, service: 'download', stage: 'dev', api: 'qualia', ApiRetry: 1 },
  { ...start, function_request_id: '1', init_ms: 90, memory_used_mb: 120 },
  { ...start, function_request_id: '1', init_ms: 90 },
  { ...start, function_request_id: '2', init_ms: 110, memory_used_mb: 128 },
  { service: 'webhook', level: 'INFO', message: 'webhook accepted', order_id: 'QO-9', status: 'NOTIFIED' },
];

/** Lines of queries that search other lines. */
const ownLines: Readonly<Record<string, readonly object[]>> = {
  'Compute cost by function (estimate)': [
    // A first event 1 s after the start of its invocation, and a second one 60 s later.
    { service: 'plan-run', function_request_id: '1', memory_size_mb: 2_048, response_time_ms: 1_000 },
    { service: 'plan-run', function_request_id: '1' },
    { service: 'plan-run', function_request_id: '2', turn_ms: 39_000, init_ms: 100 },
    { service: 'plan-run', function_request_id: '3', attempt_ms: 99_900 },
    // Without a known start, an invocation lasts as long as its start-up.
    { ...start, function_request_id: '4', init_ms: 3_000 },
    { service: 'plan-run', response_time_ms: 1_000 },
  ],
};

async function* events(of: readonly object[]) {
  for (const [minute, line] of of.entries()) {
    const timestamp = Date.UTC(2026, 10, 22, 8, minute);
    yield { timestamp, message: JSON.stringify(line), log: '000000000000:group', logStream: 'stream' };
  }
}

/** The rows of a saved query, with values in the order of its columns. */
const rowsOf = async (name: string): Promise<string[]> => {
  const { lines: query = [] } = savedQueries.find((saved) => saved.name === name) ?? {};
  const rows = await runQuery(parseQuery(query.join('\n')), events(ownLines[name] ?? lines)).rows;
  return rows.map((row) =>
    row
      .filter(({ field }) => field !== '@ptr')
      .map(({ value }) => value.replace(/^2026-11-22 (\d\d:\d\d):00\.000$/, '$1'))
      .join(' | '),
  );
};

const expected: Readonly<Record<string, readonly string[]>> = {
  'One order, step by step': [
    '08:00 | QO-123456 | NOTIFIED',
    '08:01 | QO-123456',
    '08:03 | QO-123456 | DOWNLOADED',
    '08:04 | QO-123456',
    '08:05 | QO-123456 | PROCESSED',
  ],
  'Errors over time': ['08:05 | 3'],
  'Response times (mean, longest, p95)': ['200 | 400 | 400'],
  'One request, through every Lambda': [
    '08:00 | webhook | INFO | webhook accepted | QO-123456 | NOTIFIED',
    '08:01 | download | WARN | a try failed, will retry | QO-123456 | RATE_LIMITED | 1 | 0.5',
    '08:03 | download | INFO | order downloaded | QO-123456 | DOWNLOADED',
    '08:04 | processing | WARN | a try failed, will retry | QO-123456 | CONNECTION_FAULT | 1 | 1',
    '08:05 | processing | INFO | order processed | QO-123456 | PROCESSED | posted',
  ],
  'One sync run, step by step': [
    '08:12 | netlife-collect | WARN | a try failed, will retry | nowandgen | TIMEOUT',
    '08:13 | netlife-collect | INFO | sync step | nowandgen | netlife_collect | 2 | 2',
  ],
  'Failures by error code': [
    'ORDER_NOT_FOUND | download | 2 | The order still does not exist in Qualia',
    'UNKNOWN_STATE | processing | 1 | A state',
  ],
  'Retries by API': [
    'qualia | RATE_LIMITED | 429 | 2 | 2 | 9.5',
    'internal | CONNECTION_FAULT | 1 | 1 | 1',
    'netlife | TIMEOUT | 1 | 1 | 1',
  ],
  'Slowest calls': [
    '08:03 | download | QO-123456 | DOWNLOADED | 400',
    '08:05 | processing | QO-123456 | PROCESSED | 180',
    '08:00 | webhook | QO-123456 | NOTIFIED | 20',
  ],
  'API calls answered 429 or 5xx': [
    '503 | POST /webhooks/qualia | Service Unavailable | 2 | The Lambda is throttled.',
    '429 | POST /webhooks/qualia | Too Many Requests | 1 | -',
  ],
  'One order, every event': [
    `08:00 | webhook | INFO | webhook accepted | ${requestId} | NOTIFIED`,
    `08:01 | download | WARN | a try failed, will retry | ${requestId} | RATE_LIMITED | 1 | 0.5`,
    `08:03 | download | INFO | order downloaded | ${requestId} | DOWNLOADED`,
    `08:04 | processing | WARN | a try failed, will retry | ${requestId} | CONNECTION_FAULT | 1 | 1`,
    `08:05 | processing | INFO | order processed | ${requestId} | PROCESSED | posted`,
  ],
  'Orders that came in and were never closed': ['QO-9 | 08:22 | 08:22'],
  'Portals of a sync run by duration': ['nowandgen | 60 | 2 | 2 | 2'],
  'Cold starts with their duration': ['reconciler | 1.0.0 | 2 | 96.66666666666667 | 110 | 110'],
  'Memory headroom by function': ['reconciler | 128 | 512 | 75'],
  // 200 s of 2 GB in three invocations, and 3 s of 0.5 GB in one.
  'Compute cost by function (estimate)': [
    'plan-run | 3 | 200 | 2048 | 0.00533396',
    'reconciler | 1 | 3 | 512 | 0.0000202001',
  ],
  'Cost of the logs by function': ['000000000000:group | 23 | 0.003599 | 0.0000017995'],
  'Refused webhooks by reason': ['unauthorized | 203.0.113.7 | 2', 'invalid_json | 203.0.113.7 | 1'],
};

test.each(savedQueries)('the saved query "$name" finds the expected rows', async ({ name }) => {
  expect(await rowsOf(name)).toEqual(expected[name]);
});
