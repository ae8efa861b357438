import * as z from 'zod';
import type { ApiResponse } from '../http/api-client';
import { parseJson } from '../json';
import { unexplained } from './reasons';
import { type CallResult, expectOk, nameIn, type Redact, RefusedError, responseOf } from './responses';
import { eventName } from './rows';

/** The response to a bulk call (docs/contracts/iterable.md, "Responses"). */
export interface BulkResponse {
  readonly statusCode: number;
  readonly successCount: number;
  readonly failCount: number;
  /** The list that names a user as failed, by {@link foldEmail} of the address. */
  readonly named: ReadonlyMap<string, string>;
  /** Iterable is configured to refuse events with our name. */
  readonly refusesEvent: boolean;
  readonly filteredOutFields: readonly string[];
  readonly createdFields: readonly string[];
}

/** The result of each user of a batch. */
export interface Shares {
  /** One per user of the batch, in order. A user counts as a success only if the response proves it. */
  readonly results: readonly CallResult[];
  /** Whether the response states the result of every user. */
  readonly isComplete: boolean;
}

/** Maximum number of names kept of a list. */
const maxNames = 20;
/**
 * Ten times what a batch can name. A response with more entries proves nothing, because reading them all would take too
 * long.
 */
const maxEntries = 10_000;
/** `failedUpdates` contains lists; a list may be in an object of its own. */
const deepestList = 3;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Makes addresses in any case and Unicode form equal. Converts to upper case in between, because `ß` and `SS` differ in
 * lower case only, and to lower case before, because `ẞ` has no other upper case.
 */
export const foldEmail = (email: string): string =>
  email.trim().normalize('NFKC').toLowerCase().toUpperCase().toLowerCase().normalize('NFKC');

const emailOf = (entry: unknown): string | undefined => {
  const email = isObject(entry) ? entry.email : entry;
  return typeof email === 'string' ? email : undefined;
};

/** All lists in a value, whatever their names: the name and the entries of each. */
function* listsIn(name: string, value: unknown, depth = 0): Generator<readonly [name: string, entries: unknown[]]> {
  if (Array.isArray(value)) yield [name, value];
  else if (isObject(value) && depth < deepestList) {
    for (const [inner, list] of Object.entries(value)) yield* listsIn(inner, list, depth + 1);
  }
}

const textsIn = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((entry) => typeof entry === 'string') : [];

const namesIn = (value: unknown, redact: Redact): string[] =>
  textsIn(value)
    .slice(0, maxNames)
    .map((text) => nameIn(text, redact));

/** The response of both bulk calls. The lists are read by hand: a list of an unknown form must not hide a failure. */
const bulkResponseSchema = z.looseObject({ successCount: z.number(), failCount: z.number() });

/**
 * Reads the response to a bulk call: a 2xx, which can hide failures ({@link shareOut}).
 *
 * @throws {KeyRefusedError} 401 `BadApiKey`, and 403
 * @throws {RefusedError} for every other response
 */
export const readBulk = (response: ApiResponse, redact: Redact, nowMs: number): BulkResponse => {
  expectOk(response, redact, nowMs);
  const { statusCode } = response;
  const { data } = bulkResponseSchema.safeParse(parseJson(response.body));
  if (data === undefined) {
    throw new RefusedError('BAD_ANSWER', responseOf(response, redact), { retryable: false, statusCode });
  }
  const named = new Map<string, string>();
  let entriesLeft = maxEntries;
  // The two lists outside of `failedUpdates` are deprecated, but also name failures.
  const { failedUpdates, invalidEmails, invalidUserIds } = data;
  for (const [name, entries] of listsIn('failedUpdates', { failedUpdates, invalidEmails, invalidUserIds })) {
    entriesLeft -= entries.length;
    if (entriesLeft < 0) break;
    const list = nameIn(name, redact);
    for (const email of entries.map(emailOf)) {
      const key = email === undefined ? undefined : foldEmail(email);
      if (key !== undefined && !named.has(key)) named.set(key, list);
    }
  }
  return {
    statusCode,
    successCount: data.successCount,
    failCount: entriesLeft < 0 ? Number.POSITIVE_INFINITY : data.failCount,
    named,
    refusesEvent: textsIn(data.disallowedEventNames).includes(eventName),
    filteredOutFields: namesIn(data.filteredOutFields, redact),
    createdFields: namesIn(data.createdFields, redact),
  };
};

/** Meaning of the lists that Iterable documents. */
const reasons: ReadonlyMap<string, string> = new Map([
  ['invalidEmails', 'The e-mail address is malformed'],
  ['notFoundEmails', 'There is no such user'],
  ['forgottenEmails', 'The user has been forgotten (GDPR)'],
  ['conflictEmails', 'Another user has this e-mail address'],
  ['invalidDataEmails', 'The data fields are invalid'],
]);

/**
 * Returns the result of each user of a batch. Failures are named by e-mail: all users with that address failed. The
 * others succeeded if the counts prove it: no more failed than are named, and as many succeeded as are not named.
 * Otherwise no other user counts as a success, and the response is incomplete.
 */
export const shareOut = (response: BulkResponse, emails: readonly string[]): Shares => {
  const { statusCode, successCount, failCount, filteredOutFields, createdFields } = response;
  const keys = emails.map(foldEmail);
  const lists = keys.map((key) => response.named.get(key));
  const namedUsers = new Set(keys.filter((key) => response.named.has(key))).size;
  const others = lists.filter((list) => list === undefined).length;
  const isProven = failCount <= namedUsers && successCount >= others;

  const failed = (code: string, msg: string): CallResult => ({
    success: false,
    response: { code, msg },
    failure: { errorCode: 'API_REFUSED', statusCode },
  });
  const resultOfOthers = (): CallResult => {
    if (response.refusesEvent)
      return failed('disallowedEventNames', 'Iterable is configured to refuse events with this name');
    if (!isProven) return failed(unexplained, 'Iterable counts the user as failed without a reason');
    return {
      success: true,
      response: {
        code: 'Success',
        msg: '',
        ...(filteredOutFields.length > 0 && { filteredOutFields }),
        ...(createdFields.length > 0 && { createdFields }),
      },
    };
  };
  const other = resultOfOthers();
  return {
    results: lists.map((list) =>
      list === undefined ? other : failed(list, reasons.get(list) ?? 'Iterable names the user in this list'),
    ),
    isComplete: others === 0 || response.refusesEvent || isProven,
  };
};

/** Whether all users of a batch failed, named or not. */
export const allFailed = ({ failCount, successCount }: BulkResponse, emails: readonly string[]): boolean =>
  successCount <= 0 && failCount >= emails.length;
