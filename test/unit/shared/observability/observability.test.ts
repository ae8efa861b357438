import { PipelineError, toPipelineError } from '../../../../shared/errors';
import { logCalls } from '../../../../shared/observability/log-calls';
import { createLogger } from '../../../../shared/observability/logger';
import { createMetrics } from '../../../../shared/observability/metrics';
import { reportRetry } from '../../../../shared/observability/report-retry';
import { lambdaContext } from '../../../support/lambda-context';
import { type CapturedLogs, captureLogs, ownFields } from '../../../support/logs';

let logs: CapturedLogs;
const environment = process.env;

beforeEach(() => {
  process.env = {
    ...environment,
    POWERTOOLS_SERVICE_NAME: 'download',
    POWERTOOLS_METRICS_NAMESPACE: 'MarketplacePipeline',
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    _X_AMZN_TRACE_ID: 'Root=1-abc-def;Sampled=1',
  };
  logs = captureLogs();
});

afterEach(() => {
  logs.stop();
  process.env = environment;
});

const config = { STAGE: 'dev', SERVICE_VERSION: '1.2.3' };

describe('a log line', () => {
  test('has every common field, and nothing else of the context', () => {
    const logger = createLogger(config);
    logger.addContext(lambdaContext({ functionName: 'dev-marketplace-download' }));
    logger.info('order downloaded', { order_id: 'QO-1' });
    expect(logs.lines()).toEqual([
      {
        timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        level: 'INFO',
        message: 'order downloaded',
        service: 'download',
        function_name: 'dev-marketplace-download',
        function_request_id: 'invocation-1',
        cold_start: true,
        init_ms: expect.any(Number),
        memory_used_mb: expect.any(Number),
        xray_trace_id: '1-abc-def',
        stage: 'dev',
        version: '1.2.3',
        order_id: 'QO-1',
      },
    ]);
  });

  test('has the memory of the process once in five minutes, and its initialization while it is cold', () => {
    const logger = createLogger({ STAGE: 'dev', SERVICE_VERSION: '1.2.3' });
    logger.addContext(lambdaContext());
    logger.info('first');
    logger.addContext(lambdaContext());
    logger.info('second');
    const [first, second] = logs.lines();
    expect(first).toMatchObject({ init_ms: expect.any(Number), memory_used_mb: expect.any(Number) });
    expect(second).not.toHaveProperty('init_ms');
    expect(second).not.toHaveProperty('memory_used_mb');
  });
  test('omits unknown fields', () => {
    createLogger(config).warn('a line', { status_code: undefined, api: null });
    const [line] = logs.lines();
    expect(line).not.toHaveProperty('status_code');
    expect(line).not.toHaveProperty('function_name');
  });

  test('stays below 400 bytes before its own fields', () => {
    const logger = createLogger(config);
    logger.addContext(lambdaContext());
    logger.info('order downloaded');
    expect(logs.text().length).toBeLessThan(400);
  });

  test('has an error with its causes', () => {
    createLogger(config).error('failed', { error_details: new Error('outer', { cause: new Error('inner') }) });
    expect(logs.lines()[0]).toMatchObject({
      level: 'ERROR',
      error_details: { name: 'Error', message: 'outer', stack: expect.any(String), cause: { message: 'inner' } },
    });
  });

  describe('of an error with a cycle of causes', () => {
    const cycleOf = (length: number): Error => {
      const errors = Array.from({ length }, (_, index) => new Error(`error ${index}`));
      errors.forEach((error, index) => {
        error.cause = errors[(index + 1) % length];
      });
      return errors[0] ?? new Error('none');
    };
    const messagesIn = (details: unknown): string[] =>
      typeof details === 'object' && details !== null && 'message' in details
        ? [String(details.message), ...messagesIn('cause' in details ? details.cause : undefined)]
        : [];

    test.each([1, 2, 3, 10, 11])('has each error once, up to ten: %d', (length) => {
      createLogger(config).error('failed', { error_details: cycleOf(length) });
      const names = Array.from({ length: Math.min(length, 10) }, (_, index) => `error ${index}`);
      expect(logs.lines().map(({ error_details }) => messagesIn(error_details))).toEqual([names]);
    });

    test('has the error, however it is logged', () => {
      const logger = createLogger(config);
      logger.error('failed', cycleOf(1));
      logger.error('failed', { error_details: toPipelineError(cycleOf(1)) });
      expect(logs.text().match(/"message":"error 0"/g)).toHaveLength(2);
    });
  });

  test('has at most ten errors of a chain of causes', () => {
    let error = new Error('error 0');
    for (let depth = 1; depth < 100_000; depth++) error = new Error(`error ${depth}`, { cause: error });
    createLogger(config).error('failed', { error_details: error });
    expect(logs.text().match(/"message":"error /g)).toHaveLength(10);
  });

  test('has no other properties of an error or its cause', () => {
    const cause = Object.assign(new Error('unreadable'), { data: '{"full_name":"Ada Lovelace"}', code: 'HPE_CHUNK' });
    const error = Object.assign(new Error('outer', { cause }), { body: 'Ada Lovelace' });
    createLogger(config).error('failed', { error_details: error });
    createLogger(config).error('failed', { error_details: new Error('outer', { cause: 'Ada Lovelace' }) });
    expect(logs.text()).not.toContain('Ada Lovelace');
    expect(logs.lines()[0]).toMatchObject({ error_details: { cause: { message: 'unreadable', code: 'HPE_CHUNK' } } });
  });
});

describe('calls to APIs', () => {
  const made = { api: 'qualia', method: 'POST', path: '/graphql', attempt: 2, about: { order_id: 'QO-1' } } as const;

  test('are logged at level DEBUG', () => {
    process.env.POWERTOOLS_LOG_LEVEL = 'DEBUG';
    const log = logCalls(createLogger(config));
    log({ ...made, statusCode: 200, durationMs: 12.345 });
    log({ ...made, errorCode: 'TIMEOUT', durationMs: 30_000 });
    expect(logs.lines().map(ownFields)).toEqual([
      {
        level: 'DEBUG',
        message: 'api called',
        order_id: 'QO-1',
        api: 'qualia',
        method: 'POST',
        path: '/graphql',
        attempt: 2,
        status_code: 200,
        duration_ms: 12.3,
      },
      expect.objectContaining({ level: 'DEBUG', error_code: 'TIMEOUT', duration_ms: 30_000 }),
    ]);
  });

  test.each(['INFO', undefined])('are not logged at level %s', (level) => {
    if (level) process.env.POWERTOOLS_LOG_LEVEL = level;
    logCalls(createLogger(config))({ ...made, statusCode: 200, durationMs: 1 });
    expect(logs.text()).toBe('');
  });

  test("are logged only if Lambda's own filter permits it", () => {
    process.env.POWERTOOLS_LOG_LEVEL = 'DEBUG';
    process.env.AWS_LAMBDA_LOG_LEVEL = 'DEBUG';
    logCalls(createLogger(config))({ ...made, statusCode: 200, durationMs: 1 });
    expect(logs.lines()).toHaveLength(1);
    logs.clear();
    process.env.AWS_LAMBDA_LOG_LEVEL = 'INFO';
    logCalls(createLogger(config))({ ...made, statusCode: 200, durationMs: 1 });
    expect(logs.lines().filter(({ level }) => level === 'DEBUG')).toEqual([]);
  });
});

describe('metrics', () => {
  const declared = (dimensions: readonly string[], metrics: readonly { Name: string; Unit: string }[]) => ({
    Timestamp: expect.any(Number),
    CloudWatchMetrics: [{ Namespace: 'MarketplacePipeline', Dimensions: [dimensions], Metrics: metrics }],
  });

  test('of an invocation are one line, with service and stage, the sum of each count and every time', () => {
    const metrics = createMetrics(config);
    metrics.add('OrderProcessed');
    metrics.add('OrderProcessed');
    metrics.add('EndToEndLatency', 1_250);
    metrics.add('EndToEndLatency', 900);
    metrics.flush();
    expect(logs.metrics()).toEqual([
      {
        _aws: declared(
          ['service', 'stage'],
          [
            { Name: 'EndToEndLatency', Unit: 'Milliseconds' },
            { Name: 'OrderProcessed', Unit: 'Count' },
          ],
        ),
        service: 'download',
        stage: 'dev',
        OrderProcessed: 2,
        EndToEndLatency: [1_250, 900],
      },
    ]);
  });

  test('can be fields of a log line, whose own fields are the dimensions', () => {
    const metrics = createMetrics(config);
    metrics.add('OrderDownloaded');
    const counted = metrics.fields({ WebhookAccepted: 1, WebhookDuplicate: 1 });
    createLogger(config).info('webhook accepted', { outcome: 'duplicate', ...counted });
    expect(logs.text().trim().split('\n')).toHaveLength(1);
    expect(logs.metrics()).toEqual([
      expect.objectContaining({
        level: 'INFO',
        message: 'webhook accepted',
        outcome: 'duplicate',
        service: 'download',
        stage: 'dev',
        _aws: declared(
          ['service', 'stage'],
          [
            { Name: 'WebhookAccepted', Unit: 'Count' },
            { Name: 'WebhookDuplicate', Unit: 'Count' },
          ],
        ),
        WebhookAccepted: 1,
        WebhookDuplicate: 1,
      }),
    ]);
  });

  test('of an API are fields of a line that has its name', () => {
    const metrics = createMetrics(config);
    const error = new PipelineError('TIMEOUT', 'No response', { api: 'qualia', retryable: true });
    reportRetry(createLogger(config), metrics, { order_id: 'QO-1' }, { error, attempt: 1, waitSeconds: 2 });
    expect(logs.text().trim().split('\n')).toHaveLength(1);
    expect(logs.metrics()).toEqual([
      expect.objectContaining({
        level: 'WARN',
        message: 'a try failed, will retry',
        service: 'download',
        stage: 'dev',
        api: 'qualia',
        _aws: declared(['service', 'stage', 'api'], [{ Name: 'ApiRetry', Unit: 'Count' }]),
        ApiRetry: 1,
      }),
    ]);
  });

  test('of one line are not in the next', () => {
    const metrics = createMetrics(config);
    metrics.fields({ ApiRetry: 1 }, 'qualia');
    expect(metrics.fields({ OrderReconciled: 0 })).toEqual({
      _aws: declared(['service', 'stage'], [{ Name: 'OrderReconciled', Unit: 'Count' }]),
      OrderReconciled: 0,
    });
  });

  test('are written once, and no line is written without metrics', () => {
    const metrics = createMetrics(config);
    metrics.flush();
    expect(logs.text()).toBe('');
    metrics.add('OrderFailed');
    metrics.flush();
    metrics.flush();
    expect(logs.metrics()).toHaveLength(1);
    metrics.add('OrderFailed');
    metrics.flush();
    expect(logs.metrics()).toMatchObject([{ OrderFailed: 1 }, { OrderFailed: 1 }]);
  });
});
