import { ProvisionedThroughputExceededException } from '@aws-sdk/client-dynamodb';
import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { smallCalls } from '../../shared/aws/clients';
import type { Faults, Service } from './faults';
import type { LambdaProcess } from './lambda-process';
import type { Scheduler } from './scheduler';
import type { Trace } from './trace';
import type { ModelClient } from './world';

export interface CallOptions {
  readonly scheduler: Scheduler;
  readonly faults: Faults;
  readonly process: LambdaProcess;
  readonly trace: Trace;
}

/** Settings of a client, as in `shared/aws/clients.ts`. */
interface CallSettings {
  /** Default: 3, as in the SDK. */
  readonly maxAttempts?: number;
  readonly requestHandler: { readonly requestTimeout: number };
}

const fault = (name: string, statusCode: number): Error =>
  Object.assign(new Error(name), { name, $fault: 'server', $metadata: { httpStatusCode: statusCode } });

/** Records the number of the attempt where the SDK does. */
const withAttempts = (error: unknown, attempts: number): unknown => {
  if (error instanceof Error && '$metadata' in error)
    Object.assign(error, { $metadata: { ...(error.$metadata as object), attempts } });
  return error;
};

/** What identifies a call in the trace. */
const describe = (command: { readonly input: object }): string => {
  const known = command.input as Readonly<Record<string, unknown>>;
  const subject = known.Key ?? known.MessageBody ?? known.QueueUrl ?? known.SecretId ?? '';
  return `${command.constructor.name.replace('Command', '')} ${typeof subject === 'string' ? subject : JSON.stringify(subject)}`;
};

/** A client of a model as a Lambda has it: with a network, retries like the SDK's, and a process that can die. */
export const createAwsClient = (
  { scheduler, faults, process, trace }: CallOptions,
  service: Service,
  model: ModelClient,
  { maxAttempts = 3, requestHandler: { requestTimeout: timeoutMs } }: CallSettings = smallCalls,
): ModelClient => {
  const attempt = async (command: { readonly input: object }): Promise<unknown> => {
    const callFault = faults.ofCall(service);
    const what = describe(command);
    if (callFault !== undefined) trace.add(process.name, `${what}: ${callFault}`);
    if (callFault === 'crash before') process.kill();
    await scheduler.sleep(faults.latencyMs(service));
    if (!process.hasSent()) await process.canRun();
    if (callFault === 'lost request') {
      await scheduler.sleep(timeoutMs);
      throw fault('TimeoutError', 0);
    }
    if (callFault === 'refused') throw fault('ThrottlingException', 400);
    if (callFault === undefined) trace.add(process.name, what);
    const response = await model.send(command);
    if (callFault === 'crash after') process.kill();
    await scheduler.sleep(callFault === 'lost response' ? timeoutMs : faults.latencyMs(service));
    if (callFault === 'lost response') throw fault('TimeoutError', 0);
    if (callFault === 'failed after effect') throw fault('InternalServerError', 500);
    return response;
  };

  const isTransient = (error: unknown): boolean =>
    error instanceof ProvisionedThroughputExceededException ||
    (error instanceof Error && '$fault' in error && error.$fault === 'server');

  return {
    send: async (command) => {
      await process.canRun();
      for (let attempts = 1; ; attempts++) {
        try {
          const response = await attempt(command);
          await process.canRun();
          return response;
        } catch (error) {
          await process.canRun();
          if (!isTransient(error) || attempts === maxAttempts) throw withAttempts(error, attempts);
          await scheduler.sleep(scheduler.choose.fraction() * 100 * 2 ** attempts);
        }
      }
    },
  };
};

/** A client of DynamoDB whose process is killed right after a write of an order, before it gets the response. */
export const dyingAfterWrites = (
  model: ModelClient,
  process: LambdaProcess,
  isInterrupted: () => boolean,
): ModelClient => ({
  send: async (command) => {
    const response = await model.send(command);
    const { Key } = command.input as { readonly Key?: { readonly order_id?: string } };
    if (command instanceof UpdateCommand && Key?.order_id !== undefined && isInterrupted()) process.kill();
    return response;
  },
});
