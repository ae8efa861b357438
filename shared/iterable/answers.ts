import * as z from 'zod';
import { type ErrorCode, PipelineError } from '../errors';
import type { ApiResponse } from '../http/api-client';
import { readRetryAfterMs } from '../http/retry-after';
import { parseJson } from '../json';

/** What a call said about one user: Iterable's own words where it answered, ours where it did not. For the report. */
export interface CallResponse {
  /** `Success`, a code of Iterable's, a list of `failedUpdates`, or one of our error codes. */
  readonly code: string;
  readonly msg: string;
  readonly [detail: string]: unknown;
}

/** Why a call failed, for the log: no word of Iterable's, which may name a person. */
export interface CallFailure {
  readonly errorCode: ErrorCode;
  /** Absent when there was no answer. */
  readonly statusCode?: number | undefined;
}

/** What one of the two calls did for one user. */
export interface CallResult {
  readonly success: boolean;
  readonly response: CallResponse;
  /** Of a call that failed. */
  readonly failure?: CallFailure | undefined;
  /**
   * The time ended before the call had all of its tries, and this is no result: another turn has to make the call, after
   * this many ms.
   */
  readonly openForMs?: number | undefined;
}

/** Iterable refused the key: 401 `BadApiKey`, or 403. Ends the run. */
export class KeyRefusedError extends PipelineError {
  constructor(statusCode: number) {
    super('API_REFUSED', `Iterable refused the key with ${statusCode}`, {
      api: 'iterable',
      retryable: false,
      statusCode,
    });
  }
}

/** Iterable answered, and it was no success. */
export class RefusedError extends PipelineError {
  declare readonly response: CallResponse;

  constructor(
    code: 'RATE_LIMITED' | 'API_UNAVAILABLE' | 'API_REFUSED' | 'BAD_ANSWER',
    response: CallResponse,
    options: { readonly retryable: boolean; readonly statusCode: number; readonly retryAfterMs?: number | undefined },
  ) {
    super(code, `The iterable API answered ${options.statusCode}`, { ...options, api: 'iterable' });
    // It may name the user: whatever formats an error must not come upon it.
    Object.defineProperty(this, 'response', { value: response, enumerable: false });
  }

  /** Whether a batch fares better in halves. */
  get tooMuch(): boolean {
    return this.statusCode === 413 || ['BatchTooLarge', 'RequestFieldsTypesMismatched'].includes(this.response.code);
  }
}

/** Strikes out what must not be repeated. */
export type Strike = (text: string) => string;

const retryableStatuses = [408, 429, 500, 502, 503, 504];
/** An answer is kept once for each user of a batch. */
const keptMessageLength = 500;
const keptNameLength = 100;

/** A code or a field name of Iterable's, short and without a secret. */
export const nameIn = (text: string, strike: Strike): string => strike(text).slice(0, keptNameLength);

const answerSchema = z.object({ code: z.string(), msg: z.string().catch('') });

/** Iterable's own words of an answer about one user, or about a call that it refused. */
export const responseOf = ({ body, statusCode }: ApiResponse, strike: Strike): CallResponse => {
  const parsed = answerSchema.safeParse(parseJson(body));
  if (!parsed.success) return { code: `HTTP ${statusCode}`, msg: 'The answer cannot be read' };
  return { code: nameIn(parsed.data.code, strike), msg: strike(parsed.data.msg).slice(0, keptMessageLength) };
};

/**
 * Judges an answer by its status and, for 401, its code.
 *
 * @throws {KeyRefusedError} 401 `BadApiKey`, and 403
 * @throws {RefusedError} every other answer that is no 2xx
 */
export const expectOk = (answer: ApiResponse, strike: Strike, nowMs: number): void => {
  const { statusCode, headers } = answer;
  if (statusCode >= 200 && statusCode < 300) return;
  const response = responseOf(answer, strike);
  if (statusCode === 403 || (statusCode === 401 && response.code === 'BadApiKey'))
    throw new KeyRefusedError(statusCode);
  const retryable = retryableStatuses.includes(statusCode);
  const code = statusCode === 429 ? 'RATE_LIMITED' : retryable ? 'API_UNAVAILABLE' : 'API_REFUSED';
  const retryAfterMs = retryable ? readRetryAfterMs(headers['retry-after'], nowMs) : undefined;
  throw new RefusedError(code, response, { retryable, statusCode, retryAfterMs });
};

/**
 * Reads the answer to a call about one user. Success is a 2xx with the code `Success`.
 *
 * @throws {KeyRefusedError}
 * @throws {RefusedError} for every other answer
 */
export const readSingle = (answer: ApiResponse, strike: Strike, nowMs: number): CallResponse => {
  expectOk(answer, strike, nowMs);
  const response = responseOf(answer, strike);
  if (response.code === 'Success') return response;
  throw new RefusedError('API_REFUSED', response, { retryable: false, statusCode: answer.statusCode });
};
