import * as z from 'zod/mini';
import { safeParse } from 'zod/v4/core';
import { PipelineError } from './errors';
import { describeIssues, type Schema } from './schema';

/** A text that is not empty. */
export const required = z.string('is missing').check(z.minLength(1, 'is empty'));

const minSecretLength = 8;

/**
 * A password, token or key. We redact our credentials in the responses of an API. A shorter one would also match ordinary
 * text.
 */
export const secretText = z
  .string('is missing')
  .check(z.minLength(minSecretLength, `is shorter than ${minSecretLength} characters`));

/** An absolute http(s) URL, as text. */
export const httpUrl = z.url({ protocol: /^https?$/, error: 'is not an http(s) URL' });

/** The environment variables that every Lambda has. */
export const commonVariables = { STAGE: required, SERVICE_VERSION: required, COMMIT_SHA: required };

/** The release in `issues`: a version is deployed from several commits before it is tagged. */
export const releaseOf = ({
  SERVICE_VERSION,
  COMMIT_SHA,
}: Readonly<Record<'SERVICE_VERSION' | 'COMMIT_SHA', string>>) => `${SERVICE_VERSION} (${COMMIT_SHA.slice(0, 7)})`;

/**
 * Reads a Lambda's configuration from its environment.
 *
 * @throws {PipelineError} `CONFIG_INVALID`, naming every missing or invalid variable, without values.
 */
export const parseEnvironment = <T>(
  schema: Schema<T>,
  environment: Readonly<Record<string, string | undefined>>,
): T => {
  const result = safeParse(schema, environment);
  if (result.success) return result.data;
  const faults = describeIssues(result.error.issues).map(({ path, message }) => `${path} ${message}`);
  throw new PipelineError('CONFIG_INVALID', `Wrong environment: ${faults.join('; ')}`, { retryable: false });
};
