import { AsyncLocalStorage } from 'node:async_hooks';
import type { Message } from '@aws-sdk/client-sqs';
import { isRecursiveLoop, traceOfInvocation } from '../../../emulator/lambda/trace';
import type { WorkerName } from '../../../shared/orders/order';

/** The property `RecursiveLoop` of each worker: whether it may invoke itself through its queue. */
export type RecursiveLoops = Readonly<Record<WorkerName, 'Allow' | 'Terminate'>>;

const currentTrace = new AsyncLocalStorage<string>();
const arnOf = (worker: WorkerName): string => `arn:aws:lambda:us-east-1:000000000000:function:${worker}`;
const traceOf = ({ Attributes }: Message): string | undefined => Attributes?.AWSTraceHeader;

/** The trace of the current invocation. In a Lambda, the SDK reads it from `_X_AMZN_TRACE_ID`. */
export const traceOfThisInvocation = (): string | undefined => currentTrace.getStore();

/** Runs an invocation of a worker that continues the traces of its messages. */
export const runTraced = <T>(worker: WorkerName, messages: readonly Message[], run: () => T): T =>
  currentTrace.run(
    traceOfInvocation(
      arnOf(worker),
      messages.flatMap((message) => traceOf(message) ?? []),
    ),
    run,
  );

/** Whether Lambda would stop the message if the worker's `RecursiveLoop` is `Terminate`. */
export const isInLoop = (worker: WorkerName, message: Message): boolean =>
  isRecursiveLoop(arnOf(worker), traceOf(message));
