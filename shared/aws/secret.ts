import { setTimeout as sleep } from 'node:timers/promises';
import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { safeParse } from 'zod/v4/core';
import { PipelineError } from '../errors';
import { parseJson } from '../json';
import { describeIssues, type Schema } from '../schema';

const maxAgeMs = 5 * 60_000;
/** Well below the maximum age, so that a short failure of Secrets Manager fails no run and no webhook. */
const renewAfterMs = 3 * 60_000;
const renewAgainAfterMs = 10_000;
/** How long one caller waits for a renewal. Secrets Manager may hang, and the cached value is still valid. */
const maxRenewalMs = 1_000;

export interface SecretOptions<T> {
  readonly client: SecretsManagerClient;
  readonly secretId: string;
  readonly schema: Schema<T>;
  readonly now: () => number;
  /** Minimum time between two fetches by `refresh`. Default: 1 s. */
  readonly refreshIntervalMs?: number;
}

/**
 * A JSON secret, cached for at most 5 minutes. From an age of 3 minutes it is fetched again; while that fails, the cached
 * value is used until the end of its 5 minutes. A failed fetch is not cached.
 */
export interface Secret<T> {
  /** @throws {PipelineError} `SECRET_UNREADABLE`, with every fault and without values. */
  get(): Promise<T>;
  /**
   * Fetches the secret again after a refusal, because it may have been rotated: at most once per `refreshIntervalMs`,
   * including failed fetches. In between, it returns the result of the last refresh.
   *
   * @throws {PipelineError} as `get`
   */
  refresh(): Promise<T>;
}

export const createSecret = <T>(options: SecretOptions<T>): Secret<T> => {
  const { client, secretId, schema, now, refreshIntervalMs = 1_000 } = options;
  let cached: { readonly value: T; readonly fetchedAtMs: number } | undefined;
  let renewAtMs = 0;
  let pending: Promise<T> | undefined;
  let refreshed: { readonly atMs: number; readonly done: Promise<T> } | undefined;

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

  /** Of two concurrent fetches, the one that started later wins. A failed fetch leaves the cached value unchanged. */
  const fetchAndKeep = async (): Promise<T> => {
    const fetchedAtMs = now();
    const value = await fetchValue();
    if (cached === undefined || cached.fetchedAtMs <= fetchedAtMs) {
      cached = { value, fetchedAtMs };
      renewAtMs = fetchedAtMs + renewAfterMs;
    }
    return value;
  };

  const known = () => (cached !== undefined && now() - cached.fetchedAtMs < maxAgeMs ? cached : undefined);

  /** Concurrent callers share one fetch. */
  const get = async (): Promise<T> => {
    const before = known();
    if (before !== undefined && now() < renewAtMs) return before.value;
    pending ??= fetchAndKeep().finally(() => {
      pending = undefined;
    });
    if (before === undefined) return pending;
    renewAtMs = now() + renewAgainAfterMs;
    const renewal = pending;
    const inTime = await Promise.race([renewal, sleep(maxRenewalMs, undefined, { ref: false })]).catch(() => undefined);
    return inTime ?? known()?.value ?? renewal;
  };

  return {
    get,

    refresh: async () => {
      // Does not share the fetch of `get`, which may have started before the rotation.
      if (refreshed === undefined || now() - refreshed.atMs >= refreshIntervalMs) {
        refreshed = { atMs: now(), done: fetchAndKeep() };
      }
      await refreshed.done;
      return get();
    },
  };
};
