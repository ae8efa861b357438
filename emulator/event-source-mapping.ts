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

type Mapping = z.infer<typeof mappingSchema>;

/**
 * The event source mappings of the application.
 * @param overrides in place of what the template says of each
 */
export const readMappings = (application: Application, overrides: Partial<Mapping> = {}): Mapping[] =>
  application
    .resources(['AWS::Lambda::EventSourceMapping'], mappingSchema)
    .map(({ properties }) => ({ ...properties, ...overrides }));

/**
 * Carries a queue's messages to a function, in batches, as Lambda's pollers do: what the function has done is deleted,
 * the rest comes back after its visibility timeout.
 * @returns how to stop: no new batch is begun, and those that are under way are waited for.
 */
export const startEventSourceMapping = (
  mapping: Mapping,
  source: MessageSource,
  target: Pick<LambdaFunction, 'invoke' | 'maxConcurrency' | 'stopsLoop'>,
): (() => Promise<void>) => {
  const maxConcurrency = Math.min(mapping.ScalingConfig?.MaximumConcurrency ?? 1000, target.maxConcurrency);
  const underWay = new Set<Promise<void>>();
  // A function that reserves no concurrency at all is switched off.
  let stopped = !mapping.Enabled || maxConcurrency < 1;

  const collect = async (): Promise<Message[]> => {
    const batch = await source.receive(Math.min(mapping.BatchSize, 10));
    const windowEndsAt = performance.now() + mapping.MaximumBatchingWindowInSeconds * 1000;
    while (!stopped && batch.length > 0 && batch.length < mapping.BatchSize && performance.now() < windowEndsAt) {
      batch.push(...(await source.receive(Math.min(mapping.BatchSize - batch.length, 10))));
    }
    return batch;
  };

  const handle = async (batch: readonly Message[]) => {
    // What is part of a recursive loop fails without an invocation, until its receives end in the dead-letter queue.
    const stopped = batch.filter(({ Attributes }) => target.stopsLoop(Attributes.AWSTraceHeader));
    const accepted = batch.filter((message) => !stopped.includes(message));
    const failed = accepted.length > 0 ? await invoke(accepted) : new Set();
    const done = accepted.filter(({ MessageId }) => !failed.has(MessageId));
    const handlesOf = (messages: readonly Message[]) => messages.map(({ ReceiptHandle }) => ReceiptHandle);
    source.delete(handlesOf(done));
    source.release(handlesOf(batch.filter((message) => !done.includes(message))));
  };

  /** @returns the ids of the messages that failed */
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
      // A message is received only when somebody is free to work on it: its visibility timeout runs from there.
      if (underWay.size >= maxConcurrency) {
        await Promise.race(underWay);
        continue;
      }
      const batch = await collect();
      if (batch.length > 0) {
        const work = handle(batch).finally(() => underWay.delete(work));
        underWay.add(work);
      }
    }
  };

  const polling = poll();
  return async () => {
    stopped = true;
    await polling;
    await Promise.all(underWay);
  };
};

const responseSchema = z.object({ batchItemFailures: z.array(z.object({ itemIdentifier: z.string() })).nullish() });

/**
 * Which messages of `batch` a function reports as failed. Whatever is not a proper report fails the whole batch; no
 * report at all is a success.
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

/** A message in the words of a Lambda event. */
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
