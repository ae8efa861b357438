import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type * as z from 'zod';
import { describeIssues } from '../../../shared/schema';
import { type FaultKind, toServiceFault } from '../../services/fault';

/**
 * Why the console does not do what was asked, besides the faults of the services: the input is wrong (`usage`), there is
 * no session (`signed-out`), another site asks (`foreign`), the console is read-only (`read-only`).
 */
export type ConsoleFaultKind = FaultKind | 'usage' | 'signed-out' | 'foreign' | 'read-only';

const statusCodes: Readonly<Record<ConsoleFaultKind, ContentfulStatusCode>> = {
  usage: 400,
  'signed-out': 401,
  foreign: 403,
  'read-only': 403,
  absent: 404,
  failed: 500,
  unreachable: 502,
};

/** Every error of the console's API, as JSON. */
export interface FaultDocument {
  readonly error: {
    readonly kind: ConsoleFaultKind;
    /** Sentences for the operator. */
    readonly message: string;
    /** Everything that is wrong with the input; empty for other kinds. */
    readonly faults: readonly string[];
  };
}

/** Ends a request with a {@link FaultDocument}. */
export class ConsoleFault extends Error {
  override readonly name = 'ConsoleFault';

  constructor(
    readonly kind: ConsoleFaultKind,
    message: string,
    readonly faults: readonly string[] = [],
  ) {
    super(message);
  }
}

/** @returns the fault of an input that a schema rejects: it lists everything that is wrong */
export const usageFault = (issues: readonly z.core.$ZodIssue[]): ConsoleFault => {
  const faults = describeIssues(issues).map(({ path, message }) => `${path} ${message}`.trim());
  return new ConsoleFault('usage', `${faults.join('; ')}.`, faults);
};

/** Converts what a route throws into a response. */
export const respondWithFault = (thrown: unknown, c: Context): Response => {
  const fault = thrown instanceof ConsoleFault ? thrown : toServiceFault(thrown);
  if (fault === undefined) {
    // A bug. Its text may contain anything, so it only goes to the operator's terminal.
    console.error(thrown);
    const message = 'The console failed. The error is in the terminal in which it runs.';
    return c.json<FaultDocument>({ error: { kind: 'failed', message, faults: [] } }, 500);
  }
  const faults = fault instanceof ConsoleFault ? fault.faults : [];
  return c.json<FaultDocument>(
    { error: { kind: fault.kind, message: fault.message, faults } },
    statusCodes[fault.kind],
  );
};
