import { PipelineError } from '../../../../shared/errors';
import { causeOf, issueIdOf } from '../../../../shared/issues/cause';

const refused = new PipelineError('API_REFUSED', 'The internal API answered 422', {
  retryable: false,
  api: 'internal',
  statusCode: 422,
  detail: 'dueDate',
});

test('a cause has the code, the HTTP status and the detail of the error', () => {
  expect(causeOf('processing', 'API_REFUSED', refused)).toEqual({
    worker: 'processing',
    code: 'API_REFUSED',
    statusCode: 422,
    detail: 'dueDate',
  });
});

test('the detail of exhausted retries is the code of the last error, and its detail', () => {
  const unavailable = new PipelineError('API_UNAVAILABLE', 'No', { retryable: true, statusCode: 503 });
  expect(causeOf('download', 'RETRIES_EXHAUSTED', unavailable)).toMatchObject({
    statusCode: 503,
    detail: 'API_UNAVAILABLE',
  });
  const denied = new PipelineError('AWS_FAULT', 'No', { retryable: true, detail: 'AccessDeniedException' });
  expect(causeOf('download', 'RETRIES_EXHAUSTED', denied).detail).toBe('AWS_FAULT AccessDeniedException');
});

describe('the id of an issue', () => {
  const cause = causeOf('processing', 'API_REFUSED', refused);

  // Orders and issues of every release have it: it must not change.
  it('is stable', () => {
    expect(issueIdOf(cause)).toBe('d0434cbf');
    expect(issueIdOf({ worker: 'download', code: 'ORDER_NOT_FOUND' })).toBe('fbb5a811');
  });

  it.each([{ worker: 'download' as const }, { code: 'BAD_ANSWER' as const }, { statusCode: 400 }, { detail: 'price' }])(
    'differs with %j',
    (change) => {
      expect(issueIdOf({ ...cause, ...change })).not.toBe(issueIdOf(cause));
    },
  );
});
