import type { Interception } from '../../../emulator/embedded-aws';
import type { FunctionCall } from '../../../emulator/lambda/function-call';

/** A call of a Lambda. The event names the order or run that it is made for. */
export interface CallSite extends Pick<FunctionCall, 'service' | 'operation'> {
  /** The Lambda, without its stage: `download`. */
  readonly lambda: string;
}

/** What befalls a call. */
export interface Cut {
  readonly site: CallSite;
  /** The n-th call of its kind for the order or run, from 1; or each of them. */
  readonly nth: number | 'each';
  readonly by: Interception;
}

/** One order, or one run, and what befalls its calls. Without a cut it is only watched. */
export interface Cell {
  readonly cuts: readonly Cut[];
  /** The Lambda whose invocations begin in a new process, which fetches its secrets; `every` is each of them. */
  readonly cold?: string | undefined;
}

/** One call that a flow makes. */
export interface NthCall extends CallSite {
  /** Which of the calls of its kind for the order or run, from 1. */
  readonly nth: number;
}

/** A call as the world saw it. */
export interface SeenCall extends NthCall {
  readonly resource: string;
  /** Text that was sent to an API; nothing of what was sent to AWS. */
  readonly body: string;
  /** Which of the cell's cuts befell it, by its position; -1 for none. */
  readonly cut: number;
  /** Whether it got to where it was sent. */
  readonly arrived: boolean;
}

/** Every order and every run of the matrix has an id of this form, by which an event is known to be about it. */
export const cellIdOf = (number: number): string => `QO-FAULT-${String(number).padStart(5, '0')}`;
export const cellIdPattern = /QO-FAULT-\d{5}/;

/** Of the objects of a run, which one; empty for all else. */
const pathInRun = (resource: string): string => /\/runs\/QO-FAULT-\d{5}\/(.*)$/.exec(resource)?.[1] ?? '';

/** Identifies a call of a Lambda, independent of the order, run, job and subject. */
export const siteOf = ({ functionName, service, operation, resource }: FunctionCall): CallSite => ({
  lambda: functionName.replace(/^.*-marketplace-/, ''),
  service,
  operation: `${operation} ${pathInRun(resource)}`
    .trim()
    .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, ':id')
    .replaceAll(/QO-FAULT-\d{5}(\.\d+){2}/g, ':attempt')
    .replaceAll(/\d{8}_\d{6}/g, ':time'),
});

export const nameOf = ({ lambda, service, operation }: CallSite): string => `${lambda} ${service}.${operation}`;
