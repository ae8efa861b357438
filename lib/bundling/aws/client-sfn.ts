/** The part of `@aws-sdk/client-sfn` that the Lambdas use. */
import type { DescribeExecutionCommandInput, DescribeExecutionCommandOutput } from '@aws-sdk/client-sfn';
import { clientOf } from './client';
import { ServiceException } from './errors';
import { jsonCommands } from './json';

export class SFNServiceException extends ServiceException {}
export class ExecutionDoesNotExist extends SFNServiceException {}

export const SFNClient = clientOf({ prefix: 'states', variable: 'SFN', maxAttempts: 3, baseDelayMs: 50 });

const commandNamed = jsonCommands({
  version: '1.0',
  target: 'AWSStepFunctions',
  exceptions: { base: SFNServiceException, byName: { ExecutionDoesNotExist } },
});

/** The other fields contain dates, which this client does not convert. */
export const DescribeExecutionCommand = commandNamed<
  DescribeExecutionCommandInput,
  Pick<DescribeExecutionCommandOutput, 'status'>
>('DescribeExecution', { finish: ({ status }) => ({ status }) });
