/** The part of `@aws-sdk/client-sns` that the Lambdas use. */
import type { PublishCommandInput, PublishCommandOutput } from '@aws-sdk/client-sns';
import { clientOf } from './client';
import { ServiceException } from './errors';
import { queryCommands } from './query';

export class SNSServiceException extends ServiceException {}

export const SNSClient = clientOf({ prefix: 'sns', variable: 'SNS', maxAttempts: 3, baseDelayMs: 50 });

const command = queryCommands({
  version: '2010-03-31',
  exceptions: { base: SNSServiceException, byName: {} },
  errorCodes: ['AuthorizationError', 'EndpointDisabled', 'InternalError', 'InvalidParameter', 'NotFound', 'Throttled'],
});

export const PublishCommand = command<PublishCommandInput, Omit<PublishCommandOutput, '$metadata'>>('Publish', [
  'MessageId',
]);
