import type { LambdaClient } from '@aws-sdk/client-lambda';

/** AWS actions that change nothing: they read, give back what they received, or write the record itself. */
const readingActions =
  /^(Get|List|Describe|Query|Scan|BatchGet|Filter|Head|ReceiveMessage|ChangeMessageVisibility|(Start|Stop)Query|StartLiveTail|CreateLogStream|PutLogEvents)/;

/** The part of an AWS client that the guard uses. */
type Guarded = Pick<LambdaClient, 'middlewareStack'>;

/** Makes AWS clients refuse what changes something, until it is recorded who does it and why. */
export interface ChangeGuard {
  /** @param reads whether an action of another name, with this input, changes nothing */
  readonly watch: (client: object, reads?: (input: object) => boolean) => void;
  /** Accepts changes from now on. */
  readonly open: () => void;
}

/**
 * A verb that changes something without a record is a bug (docs/adr/0022): its call throws, whichever verb makes it, so
 * any test of the verb finds it.
 */
export const createChangeGuard = (): ChangeGuard => {
  let isOpen = false;
  return {
    watch: (client, reads = () => false) => {
      (client as Guarded).middlewareStack.add(
        (next, { commandName = '' }) =>
          (call) => {
            if (isOpen || readingActions.test(commandName) || reads(call.input)) return next(call);
            throw new Error(`${commandName} changes something, but the verb does not record it`);
          },
        { step: 'initialize', name: 'changeGuard' },
      );
    },
    open: () => {
      isOpen = true;
    },
  };
};
