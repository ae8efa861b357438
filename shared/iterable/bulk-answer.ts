import * as z from 'zod';
import type { ApiResponse } from '../http/api-client';
import { parseJson } from '../json';
import { type CallResult, expectOk, nameIn, RefusedError, responseOf, type Strike } from './answers';
import { unexplained } from './reasons';
import { eventName } from './rows';

/** What the answer to a bulk call says (docs/contracts/iterable.md, "Responses"). */
export interface BulkAnswer {
  readonly statusCode: number;
  readonly successCount: number;
  readonly failCount: number;
  /** The list that names a user as failed, by {@link foldEmail} of the address. */
  readonly named: ReadonlyMap<string, string>;
  /** Iterable is set to refuse events of our name. */
  readonly refusesEvent: boolean;
  readonly filteredOutFields: readonly string[];
  readonly createdFields: readonly string[];
}

/** Each user's share of an answer. */
export interface Shares {
  /** One for each user of the batch, in its order. No user is a success whom the answer does not prove to be one. */
  readonly results: readonly CallResult[];
  /** Whether the answer says of each user what became of it. */
  readonly isComplete: boolean;
}

/** Of lists of names, this many are kept. */
const mostNames = 20;
/** Ten times what a batch can name. An answer with more entries proves nothing: reading them all would take too long. */
const mostEntries = 10_000;
/** `failedUpdates` holds lists; a list may be in an object of its own. */
const deepestList = 3;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The same for an address in any case and Unicode form. Upper case first, as `ß` and `SS` differ in lower case only. */
export const foldEmail = (email: string): string =>
  email.trim().normalize('NFKC').toUpperCase().toLowerCase().normalize('NFKC');

const emailOf = (entry: unknown): string | undefined => {
  const email = isObject(entry) ? entry.email : entry;
  return typeof email === 'string' ? email : undefined;
};

/** The lists in a value, whatever they are called: the name and the entries of each. */
function* listsIn(name: string, value: unknown, depth = 0): Generator<readonly [name: string, entries: unknown[]]> {
  if (Array.isArray(value)) yield [name, value];
  else if (isObject(value) && depth < deepestList) {
    for (const [inner, list] of Object.entries(value)) yield* listsIn(inner, list, depth + 1);
  }
}

const textsIn = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((entry) => typeof entry === 'string') : [];

const namesIn = (value: unknown, strike: Strike): string[] =>
  textsIn(value)
    .slice(0, mostNames)
    .map((text) => nameIn(text, strike));

/** Both bulk calls have this answer. The lists are read by hand: a list of an unknown form must not hide a failure. */
const bulkAnswerSchema = z.looseObject({ successCount: z.number(), failCount: z.number() });

/**
 * Reads the answer to a bulk call: a 2xx, which can hide failures ({@link shareOut}).
 *
 * @throws {KeyRefusedError} 401 `BadApiKey`, and 403
 * @throws {RefusedError} for every other answer
 */
export const readBulk = (answer: ApiResponse, strike: Strike, nowMs: number): BulkAnswer => {
  expectOk(answer, strike, nowMs);
  const { statusCode } = answer;
  const { data } = bulkAnswerSchema.safeParse(parseJson(answer.body));
  if (data === undefined) {
    throw new RefusedError('BAD_ANSWER', responseOf(answer, strike), { retryable: false, statusCode });
  }
  const named = new Map<string, string>();
  let entriesLeft = mostEntries;
  // The two lists outside of `failedUpdates` are deprecated, and still failures.
  const { failedUpdates, invalidEmails, invalidUserIds } = data;
  for (const [name, entries] of listsIn('failedUpdates', { failedUpdates, invalidEmails, invalidUserIds })) {
    entriesLeft -= entries.length;
    if (entriesLeft < 0) break;
    const list = nameIn(name, strike);
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
    filteredOutFields: namesIn(data.filteredOutFields, strike),
    createdFields: namesIn(data.createdFields, strike),
  };
};

/** What the lists that Iterable documents mean. */
const reasons: ReadonlyMap<string, string> = new Map([
  ['invalidEmails', 'The e-mail address is malformed'],
  ['notFoundEmails', 'There is no such user'],
  ['forgottenEmails', 'The user has been forgotten (GDPR)'],
  ['conflictEmails', 'Another user has this e-mail address'],
  ['invalidDataEmails', 'The data fields are invalid'],
]);

/**
 * Gives each user of a batch its share of the answer. Failures are named by e-mail: all users with that address failed.
 * The others succeeded, if the counts say so: no more failed than are named, and as many succeeded as are not named.
 * Otherwise nobody who is not named counts as a success, and the answer is incomplete.
 */
export const shareOut = (answer: BulkAnswer, emails: readonly string[]): Shares => {
  const { statusCode, successCount, failCount, filteredOutFields, createdFields } = answer;
  const keys = emails.map(foldEmail);
  const lists = keys.map((key) => answer.named.get(key));
  const namedUsers = new Set(keys.filter((key) => answer.named.has(key))).size;
  const others = lists.filter((list) => list === undefined).length;
  const isProven = failCount <= namedUsers && successCount >= others;

  const failed = (code: string, msg: string): CallResult => ({
    success: false,
    response: { code, msg },
    failure: { errorCode: 'API_REFUSED', statusCode },
  });
  const resultOfOthers = (): CallResult => {
    if (answer.refusesEvent) return failed('disallowedEventNames', 'Iterable is set to refuse events of this name');
    if (!isProven) return failed(unexplained, 'Iterable says that it failed, not why');
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
    isComplete: others === 0 || answer.refusesEvent || isProven,
  };
};

/** Whether an answer says that all users of a batch failed, named or not. */
export const allFailed = ({ failCount, successCount }: BulkAnswer, emails: readonly string[]): boolean =>
  successCount <= 0 && failCount >= emails.length;
