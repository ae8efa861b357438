import type { Interception } from '../../../emulator/embedded-aws';
import type { FunctionCall } from '../../../emulator/lambda/function-call';

/** A kind of call that a Lambda makes. */
export interface CallSite extends Pick<FunctionCall, 'service' | 'operation'> {
  /** The Lambda, without its stage: `download`. */
  readonly lambda: string;
}

/** A fault, and the calls that it interrupts. */
export interface InjectedFault {
  readonly site: CallSite;
  /** The n-th call of this kind for the order or run, from 1; or each of them. */
  readonly nth: number | 'each';
  readonly interception: Interception;
}

/** The faults of one order or run. Without faults, its calls are only recorded. */
export interface Scenario {
  readonly faults: readonly InjectedFault[];
  /** The Lambda that gets a new process, without cached secrets, for each invocation; `every` stands for all Lambdas. */
  readonly coldLambda?: string | undefined;
}

/** One call of a baseline. */
export interface NthCall extends CallSite {
  /** Its number among the calls of this kind for the order or run, from 1. */
  readonly nth: number;
}

/** A call that the world recorded. */
export interface RecordedCall extends NthCall {
  readonly resource: string;
  /** Text of the request to an API, or of a write of the index of sent users; empty for other calls of AWS. */
  readonly body: string;
  /** Index of the scenario's fault that interrupted the call; -1 for none. */
  readonly faultIndex: number;
  /** Whether the request arrived at its server. */
  readonly arrived: boolean;
}

/** The id of an order or run. It is unique, so that the world finds the scenario of an event or a log line by it. */
export const scenarioIdOf = (number: number): string => `QO-FAULT-${String(number).padStart(5, '0')}`;
export const scenarioIdPattern = /QO-FAULT-\d{5}/;

/** The path of an object within its run, of access keys, or of the index of sent users; empty for any other resource. */
const pathOf = (resource: string): string =>
  /\/runs\/QO-FAULT-\d{5}\/(.*)$/.exec(resource)?.[1] ?? /\/((?:access-keys|sent)\/.*)$/.exec(resource)?.[1] ?? '';

/** Identifies a call of a Lambda, independent of the order, run, job and subject. */
export const siteOf = ({ functionName, service, operation, resource }: FunctionCall): CallSite => ({
  lambda: functionName.replace(/^.*-marketplace-/, ''),
  service,
  operation: `${operation} ${pathOf(resource)}`
    .trim()
    .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, ':id')
    .replaceAll(/QO-FAULT-\d{5}(\.\d+){2}/g, ':attempt')
    .replaceAll(/\d{8}_\d{6}/g, ':time'),
});

/** Where the index of the lists of sent users is (docs/adr/0026). */
export const isSentIndex = (resource: string): boolean => resource.endsWith('/sent/iterable.json');

export const nameOf = ({ lambda, service, operation }: CallSite): string => `${lambda} ${service}.${operation}`;
