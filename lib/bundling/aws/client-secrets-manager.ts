/** The part of `@aws-sdk/client-secrets-manager` that the Lambdas use. */
import type { GetSecretValueCommandInput, GetSecretValueCommandOutput } from '@aws-sdk/client-secrets-manager';
import { clientOf } from './client';
import { ServiceException } from './errors';
import { jsonCommands } from './json';

export class SecretsManagerServiceException extends ServiceException {}
export class ResourceNotFoundException extends SecretsManagerServiceException {}

export const SecretsManagerClient = clientOf({
  prefix: 'secretsmanager',
  variable: 'SECRETS_MANAGER',
  maxAttempts: 3,
  baseDelayMs: 50,
});

const commandNamed = jsonCommands({
  version: '1.1',
  target: 'secretsmanager',
  exceptions: { base: SecretsManagerServiceException, byName: { ResourceNotFoundException } },
});

export const GetSecretValueCommand = commandNamed<
  GetSecretValueCommandInput,
  Omit<GetSecretValueCommandOutput, '$metadata'>
>('GetSecretValue', {
  finish: (output) => {
    if (output.SecretBinary !== undefined) throw new Error("This bundle's AWS client does not read binary secrets.");
    const { CreatedDate, ...rest } = output;
    return { ...rest, ...(CreatedDate && { CreatedDate: new Date(Number(CreatedDate) * 1_000) }) };
  },
});
