import { AsyncLocalStorage } from 'node:async_hooks';
import type { Message } from '@aws-sdk/client-sqs';
import { isRecursiveLoop, traceOfInvocation } from '../../../emulator/lambda/trace';
import type { WorkerName } from '../../../shared/orders/order';

/** Of each worker, the property `RecursiveLoop`: whether Lambda lets it invoke itself through its queue. */
export type RecursiveLoops = Readonly<Record<WorkerName, 'Allow' | 'Terminate'>>;

const currentTrace = new AsyncLocalStorage<string>();
const arnOf = (stage: WorkerName): string => `arn:aws:lambda:us-east-1:000000000000:function:${stage}`;
const traceOf = ({ Attributes }: Message): string | undefined => Attributes?.AWSTraceHeader;

/** The trace of the invocation that runs now, which the SDK reads from `_X_AMZN_TRACE_ID` in a Lambda. */
export const traceOfThisInvocation = (): string | undefined => currentTrace.getStore();

/** Runs an invocation of a worker that continues the traces of its messages. */
export const runTraced = <T>(stage: WorkerName, messages: readonly Message[], run: () => T): T =>
  currentTrace.run(
    traceOfInvocation(
      arnOf(stage),
      messages.flatMap((message) => traceOf(message) ?? []),
    ),
    run,
  );

/** Whether Lambda would stop the invocation with a message, if the worker is not allowed to loop. */
export const isInLoop = (stage: WorkerName, message: Message): boolean =>
  isRecursiveLoop(arnOf(stage), traceOf(message));
