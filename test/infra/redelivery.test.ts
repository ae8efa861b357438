import * as z from 'zod';
import { firstFailureMs, maxVisibilitySeconds, patienceMs } from '../../shared/orders/redelivery';
import { reserveMs } from '../../shared/orders/worker';
import { resources, synthesize } from './synth';

/** SQS hides a message for at most 12 hours after a receive. */
const sqsMaxVisibilitySeconds = 43_200;

const queueSchema = z.object({
  QueueName: z.string(),
  VisibilityTimeout: z.number(),
  MessageRetentionPeriod: z.number(),
  RedrivePolicy: z.object({ maxReceiveCount: z.number() }),
});
const functionSchema = z.object({
  FunctionName: z.string(),
  Timeout: z.number(),
  Environment: z.object({ Variables: z.object({ MAX_RECEIVE_COUNT: z.coerce.number() }) }),
});

const { orderPipeline } = synthesize('prod');
const parseAll = <T>(type: string, schema: z.ZodType<T>): T[] =>
  resources(orderPipeline, type).flatMap(({ Properties }) => schema.safeParse(Properties).data ?? []);
const queues = parseAll('AWS::SQS::Queue', queueSchema);
const functions = parseAll('AWS::Lambda::Function', functionSchema);

describe.each(['download', 'processing'])('the constants of the worker %s fit the template', (name) => {
  const queue = queueSchema.parse(queues.find(({ QueueName }) => QueueName === `prod-marketplace-${name}`));
  const worker = functions.find(({ FunctionName }) => FunctionName === `prod-marketplace-${name}`);
  const timeoutSeconds = worker?.Timeout ?? Number.NaN;

  test("the worker's maximum receive count equals its queue's", () => {
    expect(worker?.Environment.Variables.MAX_RECEIVE_COUNT).toBe(queue.RedrivePolicy.maxReceiveCount);
  });

  test('an invocation ends before its messages are delivered again, and before the time of the first failure', () => {
    expect(timeoutSeconds).toBeLessThan(queue.VisibilityTimeout);
    expect(timeoutSeconds * 1_000).toBeLessThan(firstFailureMs);
  });

  test("the reserve is less than half of an invocation's time", () => {
    expect(reserveMs).toBeLessThan((timeoutSeconds * 1_000) / 2);
  });

  test('the longest wait ends within the 12 hours that SQS allows', () => {
    expect(maxVisibilitySeconds + timeoutSeconds).toBeLessThanOrEqual(sqsMaxVisibilitySeconds);
  });

  test('a round that waits for an API fails before SQS deletes its message', () => {
    expect(patienceMs / 1_000 + sqsMaxVisibilitySeconds).toBeLessThan(queue.MessageRetentionPeriod);
  });
});
