import { AsyncLocalStorage } from 'node:async_hooks';
import type { LambdaClient } from '@aws-sdk/client-lambda';

/** AWS actions that change nothing: they read, give back what they received, or write the record itself. */
const readingActions =
  /^(Get|List|Describe|Query|Scan|BatchGet|Filter|Head|ReceiveMessage|ChangeMessageVisibility|(Start|Stop)Query|StartLiveTail|CreateLogStream|PutLogEvents)/;

/** The part of an AWS client that the guard uses. */
type Guarded = Pick<LambdaClient, 'middlewareStack'>;

/** Refuses what changes something, until it is recorded who does it and why. */
export interface ChangeGuard {
  /**
   * Makes an AWS client refuse changes.
   *
   * @param reads whether an action of another name, with this input, changes nothing
   */
  readonly watch: (client: object, reads?: (input: object) => boolean) => void;
  /**
   * Checks a change that no AWS client makes.
   *
   * @param what the change, for the error
   * @throws {Error} if it is not recorded
   */
  readonly check: (what: string) => void;
  /** Runs `work`, and accepts its changes after it has called `allow`. Concurrent work still needs its own record. */
  readonly record: <T>(work: (allow: () => void) => Promise<T>) => Promise<T>;
  /** Accepts all changes from now on, for a program that acts as nobody's tool. */
  readonly open: () => void;
}

/**
 * A verb that changes something without a record is a bug (docs/adr/0022): its call throws, whichever verb makes it, so
 * any test of the verb finds it.
 */
export const createChangeGuard = (): ChangeGuard => {
  let isOpen = false;
  const records = new AsyncLocalStorage<{ isAllowed: boolean }>();
  const check = (what: string): void => {
    if (isOpen || records.getStore()?.isAllowed) return;
    throw new Error(`${what} changes something, but the verb does not record it`);
  };
  return {
    watch: (client, reads = () => false) => {
      (client as Guarded).middlewareStack.add(
        (next, { commandName = '' }) =>
          (call) => {
            if (!readingActions.test(commandName) && !reads(call.input)) check(commandName);
            return next(call);
          },
        { step: 'initialize', name: 'changeGuard' },
      );
    },
    check,
    record: (work) => {
      const record = { isAllowed: false };
      return records.run(record, () =>
        work(() => {
          record.isAllowed = true;
        }),
      );
    },
    open: () => {
      isOpen = true;
    },
  };
};
