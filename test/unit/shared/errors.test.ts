import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { errorCodes, PipelineError, toPipelineError } from '../../../shared/errors';

describe('toPipelineError', () => {
  test('returns a classified error unchanged', () => {
    const error = new PipelineError('TIMEOUT', 'It took too long', { retryable: true });
    expect(toPipelineError(error)).toBe(error);
  });

  test('gives the name of an AWS fault, not its message', () => {
    const fault = new ConditionalCheckFailedException({ message: 'item of Ada Byron', $metadata: {} });
    const error = toPipelineError(fault);
    expect(error).toMatchObject({
      code: 'AWS_FAULT',
      retryable: true,
      message: 'AWS answered ConditionalCheckFailedException',
      cause: fault,
    });
  });

  test.each([[new Error('boom')], [new TypeError('x is not a function')], ['a text'], [undefined], [null]])(
    'classifies %p as a retryable fault in our own code',
    (thrown) => {
      expect(toPipelineError(thrown)).toMatchObject({
        code: 'INTERNAL_FAULT',
        retryable: true,
        message: 'Unexpected fault in our own code',
      });
    },
  );
});

describe('PipelineError', () => {
  test('has its code, message and options', () => {
    const cause = new Error('cause');
    const options = { retryable: true, api: 'qualia', statusCode: 429, retryAfterMs: 7_000, cause } as const;
    expect(new PipelineError('RATE_LIMITED', 'Slower', options)).toMatchObject({
      name: 'PipelineError',
      code: 'RATE_LIMITED',
      message: 'Slower',
      ...options,
    });
  });

  test('has no cause by default', () => {
    expect('cause' in new PipelineError('TIMEOUT', 'Late', { retryable: true })).toBe(false);
  });
});

test('the list has each code once', () => {
  expect(new Set(errorCodes).size).toBe(errorCodes.length);
});
