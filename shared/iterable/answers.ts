import * as z from 'zod';
import { PipelineError } from '../errors';
import type { ApiAnswer } from '../http/api-client';
import { readRetryAfterMs } from '../http/retry-after';
import { parseJson } from '../json';
import { eventName } from './rows';

/** What a call said about one user: Iterable's own words where it answered, ours where it did not. For the report. */
export interface CallResponse {
  /** `Success`, a code of Iterable's, a list of `failedUpdates`, or one of our error codes. */
  readonly code: string;
  readonly msg: string;
  readonly [detail: string]: unknown;
}

/** What one of the two calls did for one user. */
export interface CallResult {
  readonly success: boolean;
  readonly response: CallResponse;
  /**
   * The time ended before the call had all of its tries, and this is no result: another turn has to make it, after so
   * many ms.
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
/** What is kept of an answer is kept once for each user of a batch. */
const keptMessageLength = 500;
const keptNameLength = 100;
const keptNames = 20;

const nameIn = (text: string, strike: Strike): string => strike(text).slice(0, keptNameLength);

const namesIn = (texts: readonly string[] | null | undefined, strike: Strike): string[] =>
  (texts ?? []).slice(0, keptNames).map((text) => nameIn(text, strike));

const answerSchema = z.object({ code: z.string(), msg: z.string().catch('') });

const responseOf = ({ body, statusCode }: ApiAnswer, strike: Strike): CallResponse => {
  const parsed = answerSchema.safeParse(parseJson(body));
  if (!parsed.success) return { code: `HTTP ${statusCode}`, msg: 'The answer cannot be read' };
  return { code: nameIn(parsed.data.code, strike), msg: strike(parsed.data.msg).slice(0, keptMessageLength) };
};

const expectOk = (answer: ApiAnswer, strike: Strike, nowMs: number): void => {
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
export const readSingle = (answer: ApiAnswer, strike: Strike, nowMs: number): CallResponse => {
  expectOk(answer, strike, nowMs);
  const response = responseOf(answer, strike);
  if (response.code === 'Success') return response;
  throw new RefusedError('API_REFUSED', response, { retryable: false, statusCode: answer.statusCode });
};

/** Ten times what a batch can name: each entry that is wrong costs an error. */
const texts = z.array(z.string()).max(10_000);

/** Both bulk calls answer so; the lists of `failedUpdates` that name user ids are of no use: we send e-mails. */
const bulkAnswerSchema = z.object({
  successCount: z.number(),
  failCount: z.number(),
  failedUpdates: z.record(z.string(), z.unknown()).nullish(),
  invalidEmails: texts.nullish(),
  disallowedEventNames: texts.nullish(),
  filteredOutFields: texts.nullish(),
  createdFields: texts.nullish(),
});
export type BulkAnswer = z.output<typeof bulkAnswerSchema>;

/**
 * Reads the answer to a bulk call: a 2xx, which can hide failures ({@link shareOut}).
 *
 * @throws {KeyRefusedError}
 * @throws {RefusedError} for every other answer
 */
export const readBulk = (answer: ApiAnswer, strike: Strike, nowMs: number): BulkAnswer => {
  expectOk(answer, strike, nowMs);
  const parsed = bulkAnswerSchema.safeParse(parseJson(answer.body));
  if (parsed.success) {
    const { filteredOutFields, createdFields } = parsed.data;
    return {
      ...parsed.data,
      filteredOutFields: namesIn(filteredOutFields, strike),
      createdFields: namesIn(createdFields, strike),
    };
  }
  const { statusCode } = answer;
  throw new RefusedError('BAD_ANSWER', responseOf(answer, strike), { retryable: false, statusCode });
};

/** The lists of `failedUpdates` that name users by e-mail. */
const failures: Readonly<Record<string, string>> = {
  invalidEmails: 'The e-mail address is malformed',
  notFoundEmails: 'There is no such user',
  forgottenEmails: 'The user has been forgotten (GDPR)',
  conflictEmails: 'Another user has this e-mail address',
  invalidDataEmails: 'The data fields are invalid',
};

const sameEmail = (email: string): string => email.trim().toLowerCase();

const succeeded = ({ filteredOutFields, createdFields }: BulkAnswer, msg: string): CallResult => ({
  success: true,
  response: {
    code: 'Success',
    msg,
    ...(filteredOutFields?.length && { filteredOutFields }),
    ...(createdFields?.length && { createdFields }),
  },
});

const failed = (code: string, msg: string): CallResult => ({ success: false, response: { code, msg } });

/**
 * Gives each user of a batch their share of the answer, in the batch's order. Failures are named by e-mail: all users
 * with that address failed, whatever its case, and the others succeeded. Where more failed than are named, the others'
 * responses say so; they are not sent again to find out who, since Iterable took what it took. Only when nobody can
 * have succeeded have all failed.
 */
export const shareOut = (answer: BulkAnswer, emails: readonly string[]): readonly CallResult[] => {
  const named = new Map<string, string>();
  const name = (list: string, listed: readonly string[]): void => {
    for (const email of listed) if (!named.has(sameEmail(email))) named.set(sameEmail(email), list);
  };
  for (const list of Object.keys(failures)) name(list, texts.safeParse(answer.failedUpdates?.[list]).data ?? []);
  name('invalidEmails', answer.invalidEmails ?? []);

  const lists = emails.map((email) => named.get(sameEmail(email)));
  const unnamed = answer.failCount - lists.filter((list) => list !== undefined).length;
  const others = (): CallResult => {
    if (answer.disallowedEventNames?.includes(eventName)) {
      return failed('disallowedEventNames', 'Iterable is set to refuse events of this name');
    }
    if (answer.failCount >= emails.length) return failed('failCount', 'Iterable says that it failed, not why');
    return succeeded(answer, unnamed > 0 ? `Iterable counts ${unnamed} more failed in this batch than it names` : '');
  };
  const rest = others();
  return lists.map((list) => (list === undefined ? rest : failed(list, failures[list] ?? '')));
};
