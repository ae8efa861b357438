import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { safeParse } from 'zod/v4/core';
import { describeIssues, type Schema } from '../config';
import { PipelineError } from '../errors';
import { parseJson } from '../json';

const maxAgeMs = 5 * 60_000;
const minRefreshIntervalMs = 10_000;

export interface SecretOptions<T> {
  readonly client: SecretsManagerClient;
  readonly secretId: string;
  readonly schema: Schema<T>;
  readonly now: () => number;
}

/** A JSON secret, cached for at most 5 minutes. A fetch that failed is not kept. */
export interface Secret<T> {
  /** @throws {PipelineError} `SECRET_UNREADABLE`, naming what is wrong with it, and no value. */
  get(): Promise<T>;
  /**
   * Fetches the secret again after it was refused, since it may have been rotated; at most once in 10 s, so that
   * refused callers cannot spend our calls to Secrets Manager.
   */
  refresh(): Promise<T>;
}

export const createSecret = <T>({ client, secretId, schema, now }: SecretOptions<T>): Secret<T> => {
  let cached: { readonly value: T; readonly fetchedAtMs: number } | undefined;
  let pending: Promise<T> | undefined;

  const fetchValue = async (): Promise<T> => {
    const unreadable = (message: string, cause?: unknown) =>
      new PipelineError('SECRET_UNREADABLE', message, { retryable: true, cause });
    const text = await client.send(new GetSecretValueCommand({ SecretId: secretId })).then(
      ({ SecretString }) => SecretString ?? '',
      (cause: unknown) => {
        throw unreadable('The secret cannot be fetched', cause);
      },
    );
    const parsed = safeParse(schema, parseJson(text));
    if (parsed.success) return parsed.data;
    const faults = describeIssues(parsed.error.issues).map(({ path, message }) => `${path || 'secret'} ${message}`);
    throw unreadable(`The secret has the wrong shape: ${faults.join('; ')}`);
  };

  /** Many callers at once cost one fetch; one that fails leaves what was cached as it is. */
  const fetchAndKeep = (): Promise<T> => {
    pending ??= fetchValue()
      .then((value) => {
        cached = { value, fetchedAtMs: now() };
        return value;
      })
      .finally(() => {
        pending = undefined;
      });
    return pending;
  };

  const ageMs = (): number => (cached === undefined ? Number.POSITIVE_INFINITY : now() - cached.fetchedAtMs);

  return {
    get: async () => (cached !== undefined && ageMs() < maxAgeMs ? cached.value : fetchAndKeep()),
    refresh: async () => (cached !== undefined && ageMs() < minRefreshIntervalMs ? cached.value : fetchAndKeep()),
  };
};
