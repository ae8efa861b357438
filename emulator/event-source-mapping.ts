import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { Application } from './application';
import type { LambdaFunction } from './lambda/functions';
import type { Message, MessageSource } from './queues-and-buckets';
import { region } from './resource-types';

const mappingSchema = z.object({
  EventSourceArn: z.string(),
  FunctionName: z.string(),
  BatchSize: z.coerce.number().default(10),
  MaximumBatchingWindowInSeconds: z.coerce.number().default(0),
  ScalingConfig: z.object({ MaximumConcurrency: z.coerce.number().optional() }).optional(),
  FunctionResponseTypes: z.array(z.literal('ReportBatchItemFailures')).default([]),
  Enabled: z.boolean().default(true),
  FilterCriteria: z.never().optional(),
});

/** A mapping of the application. It has the same `UUID` at every start. */
export type Mapping = z.infer<typeof mappingSchema> & { readonly UUID: string };

/**
 * Reads the event source mappings of the application.
 * @param overrides replace the template's values in each mapping
 */
export const readMappings = (application: Application, overrides: Partial<Mapping> = {}): Mapping[] =>
  application
    .resources(['AWS::Lambda::EventSourceMapping'], mappingSchema)
    .map(({ name, properties }) => ({ ...properties, ...overrides, UUID: uuidOf(name) }));

const uuidOf = (name: string): string =>
  createHash('sha256')
    .update(name)
    .digest('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5');

/**
 * How long messages gather at most while batches run. Only a full batch starts next to others at once: a receive takes no
 * time here, so each message that arrives would otherwise be a batch of its own, in another process on the same cores.
 */
const gatheringMs = 500;

/** Waits for `work`, but not longer than `ms`. */
const within = async (ms: number, work: Promise<unknown>): Promise<void> => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([promise, work]).finally(() => clearTimeout(timer));
};

/**
 * Polls a queue and invokes a function with batches of its messages, as Lambda's pollers do. Processed messages are
 * deleted. The others become visible again after their visibility timeout.
 * @returns a function that stops polling and waits for the running batches
 */
export const startEventSourceMapping = (
  mapping: Omit<Mapping, 'UUID'>,
  source: MessageSource,
  target: Pick<LambdaFunction, 'invoke' | 'maxConcurrency' | 'stopsLoop'>,
): (() => Promise<void>) => {
  const maxConcurrency = Math.min(mapping.ScalingConfig?.MaximumConcurrency ?? 1000, target.maxConcurrency);
  const running = new Set<Promise<void>>();
  // A reserved concurrency of 0 switches a function off.
  let stopped = maxConcurrency < 1;

  const collect = async (): Promise<Message[]> => {
    const batch = await source.receive(Math.min(mapping.BatchSize, 10));
    const windowEndsAt = performance.now() + mapping.MaximumBatchingWindowInSeconds * 1000;
    while (!stopped && batch.length > 0 && batch.length < mapping.BatchSize && performance.now() < windowEndsAt) {
      batch.push(...(await source.receive(Math.min(mapping.BatchSize - batch.length, 10))));
    }
    return batch;
  };

  const handle = async (batch: readonly Message[]) => {
    // Messages of a recursive loop fail without an invocation, until SQS moves them to the dead-letter queue.
    const looping = batch.filter(({ Attributes }) => target.stopsLoop(Attributes.AWSTraceHeader));
    const accepted = batch.filter((message) => !looping.includes(message));
    const failed = accepted.length > 0 ? await invoke(accepted) : new Set();
    const done = accepted.filter(({ MessageId }) => !failed.has(MessageId));
    const handlesOf = (messages: readonly Message[]) => messages.map(({ ReceiptHandle }) => ReceiptHandle);
    source.delete(handlesOf(done));
    source.release(handlesOf(batch.filter((message) => !done.includes(message))));
  };

  /** @returns the ids of the failed messages */
  const invoke = async (batch: readonly Message[]): Promise<ReadonlySet<string>> => {
    const event = { Records: batch.map((message) => toRecord(message, mapping.EventSourceArn)) };
    const causes = batch.flatMap(({ Attributes }) => Attributes.AWSTraceHeader ?? []);
    const { payload, functionError } = await target.invoke(JSON.stringify(event), causes);
    return functionError ? allIds(batch) : failuresOf(payload, batch);
  };

  const failuresOf = (payload: string, batch: readonly Message[]): ReadonlySet<string> =>
    mapping.FunctionResponseTypes.length > 0 ? failedIds(payload, batch) : new Set();

  const poll = async () => {
    while (!stopped) {
      // Receives only when a batch can start at once: the visibility timeout counts from the receive.
      if (running.size >= maxConcurrency) {
        await Promise.race(running);
        continue;
      }
      const batch = await collect();
      if (batch.length > 0) {
        const work = handle(batch).finally(() => running.delete(work));
        running.add(work);
        if (batch.length < mapping.BatchSize) await within(gatheringMs, Promise.all(running));
      }
    }
  };

  const polling = poll();
  return async () => {
    stopped = true;
    await polling;
    await Promise.all(running);
  };
};

const responseSchema = z.object({ batchItemFailures: z.array(z.object({ itemIdentifier: z.string() })).nullish() });

/**
 * Reads which messages of `batch` a function reports as failed. An invalid report fails the whole batch; a missing
 * report is a success.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
 */
export const failedIds = (payload: string, batch: readonly Pick<Message, 'MessageId'>[]): ReadonlySet<string> => {
  const ids = allIds(batch);
  if (payload === '' || payload === 'null') {
    return new Set();
  }
  const response = responseSchema.safeParse(parseJson(payload));
  const reported = response.data?.batchItemFailures?.map(({ itemIdentifier }) => itemIdentifier) ?? [];
  return response.success && reported.every((id) => ids.has(id)) ? new Set(reported) : ids;
};

const allIds = (batch: readonly Pick<Message, 'MessageId'>[]) => new Set(batch.map(({ MessageId }) => MessageId));

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** Converts a message to a record of a Lambda event. */
const toRecord = (message: Message, eventSourceARN: string) => ({
  messageId: message.MessageId,
  receiptHandle: message.ReceiptHandle,
  body: message.Body,
  attributes: message.Attributes,
  messageAttributes: Object.fromEntries(
    Object.entries(message.MessageAttributes).map(([name, { DataType, StringValue, BinaryValue }]) => [
      name,
      {
        stringValue: StringValue,
        binaryValue: BinaryValue,
        stringListValues: [],
        binaryListValues: [],
        dataType: DataType,
      },
    ]),
  ),
  md5OfBody: message.MD5OfBody,
  eventSource: 'aws:sqs',
  eventSourceARN,
  awsRegion: region,
});
