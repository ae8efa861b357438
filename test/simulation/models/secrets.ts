import { type GetSecretValueCommandInput, ResourceNotFoundException } from '@aws-sdk/client-secrets-manager';
import { clientOf, metadata } from './client';

/** Secrets Manager. */
export const createSecrets = (secrets: Readonly<Record<string, unknown>>) => {
  const stored = new Map(Object.entries(secrets).map(([id, value]) => [id, JSON.stringify(value)]));
  return {
    client: clientOf({
      GetSecretValueCommand: ({ SecretId = '' }: GetSecretValueCommandInput) => {
        const SecretString = stored.get(SecretId);
        if (SecretString === undefined) {
          throw new ResourceNotFoundException({
            message: "Secrets Manager can't find the specified secret.",
            ...metadata(400),
          });
        }
        return { Name: SecretId, SecretString };
      },
    }),
    /** Stores another value, as a rotation does. */
    put: (id: string, value: unknown): void => void stored.set(id, JSON.stringify(value)),
  };
};
