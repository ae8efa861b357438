import { setTimeout as sleep } from 'node:timers/promises';
import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { safeParse } from 'zod/v4/core';
import { PipelineError } from '../errors';
import { parseJson } from '../json';
import { describeIssues, type Schema } from '../schema';

const maxAgeMs = 5 * 60_000;
/** Well before it is too old, so that a hiccup of Secrets Manager ends no run and refuses no webhook. */
const renewAfterMs = 3 * 60_000;
const renewAgainAfterMs = 10_000;
/** Nobody waits longer for that, and but one caller at all: Secrets Manager may hang, and what is known is good. */
const longestRenewalMs = 1_000;

export interface SecretOptions<T> {
  readonly client: SecretsManagerClient;
  readonly secretId: string;
  readonly schema: Schema<T>;
  readonly now: () => number;
  /** `refresh` fetches once in so many ms at most; 1 s unless told. */
  readonly refreshIntervalMs?: number;
}

/**
 * A JSON secret, cached for at most 5 minutes. It is fetched again from 3 minutes on; while that fails, what was fetched
 * before is given to the end of its 5 minutes. A fetch that failed is not kept.
 */
export interface Secret<T> {
  /** @throws {PipelineError} `SECRET_UNREADABLE`, naming what is wrong with it, and no value. */
  get(): Promise<T>;
  /**
   * Fetches the secret again after somebody was refused by it, since it may have been rotated; at most once in
   * `refreshIntervalMs`, whatever came of it. In between, it gives what the last refresh gave.
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

  /** Of two fetches at once, the one that began later knows better. One that fails leaves what was cached as it is. */
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

  /** Many callers at once cost one fetch. */
  const get = async (): Promise<T> => {
    const before = known();
    if (before !== undefined && now() < renewAtMs) return before.value;
    pending ??= fetchAndKeep().finally(() => {
      pending = undefined;
    });
    if (before === undefined) return pending;
    renewAtMs = now() + renewAgainAfterMs;
    const renewal = pending;
    const inTime = await Promise.race([renewal, sleep(longestRenewalMs, undefined, { ref: false })]).catch(
      () => undefined,
    );
    return inTime ?? known()?.value ?? renewal;
  };

  return {
    get,

    refresh: async () => {
      // Not the fetch that `get` may be waiting for: it may have begun before the secret was rotated.
      if (refreshed === undefined || now() - refreshed.atMs >= refreshIntervalMs) {
        refreshed = { atMs: now(), done: fetchAndKeep() };
      }
      await refreshed.done;
      return get();
    },
  };
};
