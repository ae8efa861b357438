import { SQSServiceException } from '@aws-sdk/client-sqs';
import { ServiceFault, toServiceFault } from '../../../../ops/services/fault';
import { PipelineError } from '../../../../shared/errors';

const named = (name: string, message = 'A message') => Object.assign(new Error(message), { name });

test.each([
  ['a ServiceFault', new ServiceFault('absent', 'Gone.'), 'absent', 'Gone.'],
  [
    'an item that cannot be read',
    new PipelineError('INTERNAL_FAULT', 'The item cannot be read', { retryable: false }),
    'failed',
    'The item cannot be read.',
  ],
  [
    'a refusal',
    new SQSServiceException({ name: 'AccessDenied', message: 'Not you.', $fault: 'client', $metadata: {} }),
    'unreachable',
    'AWS refused (AccessDenied): Not you.',
  ],
  ['no credentials', named('CredentialsProviderError'), 'unreachable', 'No AWS credentials were found.'],
  ['no region', named('Error', 'Region is missing'), 'unreachable', 'No AWS region is set.'],
  ['a refused connection', Object.assign(named('Error'), { code: 'ECONNREFUSED' }), 'unreachable', '(ECONNREFUSED)'],
  ['a timeout', named('TimeoutError'), 'unreachable', '(TimeoutError)'],
])('%s is converted to the fault of the command', (_case, thrown, kind, message) => {
  expect(toServiceFault(thrown)).toMatchObject({ kind, message: expect.stringContaining(message) });
});

test('a bug is not converted, so that its stack is printed', () => {
  expect(toServiceFault(new TypeError('x is not a function'))).toBeUndefined();
});
