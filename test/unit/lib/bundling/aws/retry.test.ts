import { isThrottlingError, isTransientError } from '@smithy/core/retry';
import { createRetries, retryReasonOf } from '../../../../../lib/bundling/aws/retry';

beforeEach(() => jest.useFakeTimers());
afterEach(() => {
  jest.useRealTimers();
  jest.restoreAllMocks();
});

const names = [
  ...['BandwidthLimitExceeded', 'EC2ThrottledException', 'LimitExceededException', 'PriorRequestNotComplete'],
  ...['ProvisionedThroughputExceededException', 'RequestLimitExceeded', 'RequestThrottled', 'SlowDown', 'Throttling'],
  ...['RequestThrottledException', 'ThrottledException', 'ThrottlingException', 'TooManyRequestsException'],
  ...['TransactionInProgressException', 'TimeoutError', 'RequestTimeout', 'RequestTimeoutException'],
  ...['InternalServerError', 'ServiceUnavailable', 'ConditionalCheckFailedException', 'ValidationException'],
  ...['AccessDeniedException', 'ExpiredToken', 'NoSuchKey', 'SyntaxError', 'AbortError', 'Error'],
];
const codes = [
  ...[undefined, 'ECONNRESET', 'ECONNREFUSED', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND'],
  ...['EAI_AGAIN', 'ECONNABORTED', 'CERT_HAS_EXPIRED', 'DEPTH_ZERO_SELF_SIGNED_CERT'],
];
const statuses = [undefined, 200, 400, 403, 404, 409, 412, 413, 429, 500, 501, 502, 503, 504, 505];

test('errors are classified as by the SDK', () => {
  for (const name of names) {
    for (const code of codes) {
      for (const httpStatusCode of statuses) {
        // The SDK never retries what the caller aborted. Our clients abort nothing.
        if (name === 'AbortError' && (code ?? httpStatusCode) !== undefined) continue;
        const error = Object.assign(new Error('m'), { name, code, $metadata: { httpStatusCode } });
        const bySdk = isThrottlingError(error as never)
          ? 'throttling'
          : isTransientError(error as never) && 'transient';
        expect([name, code, httpStatusCode, retryReasonOf(error)]).toEqual([
          name,
          code,
          httpStatusCode,
          bySdk || undefined,
        ]);
      }
    }
  }
});

const failing = (name: string) => jest.fn(() => Promise.reject(Object.assign(new Error('m'), { name })));
const outcomeOf = async (call: Promise<unknown>) => {
  const outcome = call.catch((error: unknown) => error);
  await jest.runAllTimersAsync();
  return outcome;
};

test('the longest wait doubles, from 25 or 50 ms, and from one second after a throttled call', async () => {
  jest.spyOn(Math, 'random').mockReturnValue(0.999999);
  const waits = jest.spyOn(globalThis, 'setTimeout');
  const waited = () => waits.mock.calls.splice(0).map(([, ms]) => ms);
  await outcomeOf(createRetries({ maxAttempts: 4, baseDelayMs: 25 })(failing('TimeoutError')));
  expect(waited()).toEqual([24, 49, 99]);
  await outcomeOf(createRetries({ maxAttempts: 3, baseDelayMs: 50 })(failing('TimeoutError')));
  expect(waited()).toEqual([49, 99]);
  await outcomeOf(createRetries({ maxAttempts: 8, baseDelayMs: 50 })(failing('SlowDown')));
  expect(waited()).toEqual([999, 1_999, 3_999, 7_999, 15_999, 19_999, 19_999]);
});

test('the wait is between zero and the longest', async () => {
  jest.spyOn(Math, 'random').mockReturnValueOnce(0).mockReturnValueOnce(0.5);
  const waits = jest.spyOn(globalThis, 'setTimeout');
  await outcomeOf(createRetries({ maxAttempts: 3, baseDelayMs: 50 })(failing('TimeoutError')));
  expect(waits.mock.calls.map(([, ms]) => ms)).toEqual([0, 50]);
});

test('an outage uses the quota up, and successes refill it', async () => {
  const retry = createRetries({ maxAttempts: 2, baseDelayMs: 50 });
  const attemptsOf = async (name: string) => {
    const attempt = failing(name);
    await outcomeOf(retry(attempt));
    return attempt.mock.calls.length;
  };
  let retried = 0;
  while ((await attemptsOf('TimeoutError')) === 2) retried++;
  expect(retried).toBe(35);
  for (let success = 0; success < 4; success++) await retry(async () => 'ok');
  expect(await attemptsOf('TimeoutError')).toBe(2);
});

test('an error that does not come from a call is thrown immediately', async () => {
  const retry = createRetries({ maxAttempts: 3, baseDelayMs: 50 });
  await expect(retry(() => Promise.reject('text'))).rejects.toBe('text');
});
