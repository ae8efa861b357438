import * as z from 'zod';
import { type ErrorCode, PipelineError } from '../errors';
import type { ApiResponse } from '../http/api-client';
import { readRetryAfterMs } from '../http/retry-after';
import { parseJson } from '../json';
import type { StoredFields } from './confirmation';
import { reasonOf } from './reasons';

/** The response of a call about one user, for the report: Iterable's words, or ours if there was no response. */
export interface CallResponse {
  /** `Success`, a code of Iterable, a list of `failedUpdates`, or one of our error codes. */
  readonly code: string;
  readonly msg: string;
  readonly [detail: string]: unknown;
}

/** Why a call failed, for the log. Without Iterable's words, which may name a person. */
export interface CallFailure {
  readonly errorCode: ErrorCode;
  /** Absent if there was no response. */
  readonly statusCode?: number | undefined;
}

/** The result of one of the two calls for one user. */
export interface CallResult {
  readonly success: boolean;
  readonly response: CallResponse;
  /** Only for a failed call. */
  readonly failure?: CallFailure | undefined;
  /**
   * The time was up before the call had all of its tries, so this is no final result: a later turn must make the call,
   * after this many ms.
   */
  readonly openForMs?: number | undefined;
}

/** Iterable refused the key: 401 `BadApiKey`, or 403. Ends the run. */
export class KeyRefusedError extends PipelineError {
  /** @param detail why, in a word that is safe to log */
  constructor(statusCode: number, detail?: string) {
    super('API_REFUSED', `Iterable refused the key with ${statusCode}${detail === undefined ? '' : `: ${detail}`}`, {
      api: 'iterable',
      retryable: false,
      statusCode,
    });
  }
}

/** Iterable responded, but not with a success. */
export class RefusedError extends PipelineError {
  declare readonly response: CallResponse;

  constructor(
    code: 'RATE_LIMITED' | 'API_UNAVAILABLE' | 'API_REFUSED' | 'BAD_ANSWER',
    response: CallResponse,
    options: { readonly retryable: boolean; readonly statusCode: number; readonly retryAfterMs?: number | undefined },
  ) {
    super(code, `The iterable API answered ${options.statusCode}`, { ...options, api: 'iterable' });
    // It may name the user, so code that formats an error must not include it.
    Object.defineProperty(this, 'response', { value: response, enumerable: false });
  }

  /** Whether the halves of a batch may succeed where the batch failed. */
  get tooMuch(): boolean {
    return this.statusCode === 413 || ['BatchTooLarge', 'RequestFieldsTypesMismatched'].includes(this.response.code);
  }
}

/** Removes secrets from a text. */
export type Redact = (text: string) => string;

const retryableStatuses = [408, 429, 500, 502, 503, 504];
/** Short, because the response is stored for each user of a batch. */
const keptMessageLength = 500;
const keptNameLength = 100;

/** A code or field name of Iterable, shortened and without secrets. */
export const nameIn = (text: string, redact: Redact): string => redact(text).slice(0, keptNameLength);

const responseSchema = z.object({ code: z.string(), msg: z.string().catch('') });

/** The code and message of a response about one user, or about a call that Iterable refused. */
export const responseOf = ({ body, statusCode }: ApiResponse, redact: Redact): CallResponse => {
  const parsed = responseSchema.safeParse(parseJson(body));
  if (!parsed.success) return { code: `HTTP ${statusCode}`, msg: 'The response cannot be read' };
  return { code: nameIn(parsed.data.code, redact), msg: redact(parsed.data.msg).slice(0, keptMessageLength) };
};

/**
 * Checks a response by its status and, for 401, its code.
 *
 * @throws {KeyRefusedError} 401 `BadApiKey`, and 403
 * @throws {RefusedError} every other response that is no 2xx
 */
export const expectOk = (apiResponse: ApiResponse, redact: Redact, nowMs: number): void => {
  const { statusCode, headers } = apiResponse;
  if (statusCode >= 200 && statusCode < 300) return;
  const response = responseOf(apiResponse, redact);
  if (statusCode === 403 || (statusCode === 401 && response.code === 'BadApiKey'))
    throw new KeyRefusedError(statusCode);
  const retryable = retryableStatuses.includes(statusCode);
  const code = statusCode === 429 ? 'RATE_LIMITED' : retryable ? 'API_UNAVAILABLE' : 'API_REFUSED';
  const retryAfterMs = retryable ? readRetryAfterMs(headers['retry-after'], nowMs) : undefined;
  throw new RefusedError(code, response, { retryable, statusCode, retryAfterMs });
};

/**
 * Reads the response to a call about one user. Success is a 2xx with the code `Success`.
 *
 * @throws {KeyRefusedError}
 * @throws {RefusedError} for every other response
 */
export const readSingle = (apiResponse: ApiResponse, redact: Redact, nowMs: number): CallResponse => {
  expectOk(apiResponse, redact, nowMs);
  const response = responseOf(apiResponse, redact);
  if (response.code === 'Success') return response;
  throw new RefusedError('API_REFUSED', response, { retryable: false, statusCode: apiResponse.statusCode });
};

/** Codes with which Iterable refuses a key or its token, whatever the call. */
const keyRefusals = ['BadApiKey', 'BadAuthorizationHeader', 'InvalidJwtPayload'];

/**
 * Reads the response to a call that only checks whether the key may make it. Iterable checks the key before the body, so
 * every other response shows that it may.
 *
 * @throws {KeyRefusedError} 401, and 403
 * @throws {RefusedError} a retryable response, which shows nothing
 */
export const readKeyCheck = (response: ApiResponse, redact: Redact, nowMs: number): void => {
  const { statusCode } = response;
  const { code } = responseOf(response, redact);
  if (statusCode === 401 || statusCode === 403) throw new KeyRefusedError(statusCode, reasonOf(code));
  if (retryableStatuses.includes(statusCode)) expectOk(response, redact, nowMs);
};

/**
 * The same for a call that a key with tokens may be denied although it can send users: only a refusal of the key or the
 * token itself counts.
 *
 * @throws {KeyRefusedError | RefusedError} see {@link readKeyCheck}
 */
export const readTokenCheck = (response: ApiResponse, redact: Redact, nowMs: number): void => {
  const { statusCode } = response;
  const isDenied = statusCode === 401 || statusCode === 403;
  if (isDenied && !keyRefusals.includes(responseOf(response, redact).code)) return;
  readKeyCheck(response, redact, nowMs);
};

const storedSchema = z.object({
  user: z.object({ dataFields: z.record(z.string(), z.unknown()).default(() => ({})) }).optional(),
});

/**
 * Reads the response to `users/getByEmail`: the fields of a profile; undefined if there is no such user.
 *
 * @throws {KeyRefusedError | RefusedError} see {@link expectOk}; `BAD_ANSWER`, permanent, for an unreadable body
 */
export const readStored = (response: ApiResponse, redact: Redact, nowMs: number): StoredFields | undefined => {
  expectOk(response, redact, nowMs);
  const parsed = storedSchema.safeParse(parseJson(response.body));
  if (parsed.success) return parsed.data.user?.dataFields;
  const { statusCode } = response;
  throw new RefusedError('BAD_ANSWER', responseOf(response, redact), { retryable: false, statusCode });
};
