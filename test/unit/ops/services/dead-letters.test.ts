import { type SQSClient, UnsupportedOperation } from '@aws-sdk/client-sqs';
import { createDeadLetterService, type Redrive } from '../../../../ops/services/dead-letters';
import type { StageConnection } from '../../../../ops/services/stage-connection';
import { fakeAwsClient } from '../../../support/aws-client';
import { unconfigured } from '../../../support/unconfigured';

jest.mock('node:timers/promises', () => ({ setTimeout: async () => undefined }));

interface Task {
  readonly Status: string;
  readonly StartedTimestamp: number;
  readonly ApproximateNumberOfMessagesMoved?: number;
  readonly ApproximateNumberOfMessagesToMove?: number;
  readonly FailureReason?: string;
  readonly TaskHandle?: string;
}

/** A service whose SQS lists these tasks, one per call. `cancel` responds to a cancellation. */
const serviceWith = (tasks: readonly (Task | undefined)[], cancel: () => object = unconfigured('cancel')) => {
  const remaining = [...tasks];
  const calls: [string, Readonly<Record<string, unknown>>][] = [];
  const { client } = fakeAwsClient<SQSClient>((input, command) => {
    calls.push([command, input]);
    if (command === 'GetQueueAttributesCommand') return { Attributes: { QueueArn: 'arn:dead-letters' } };
    if (command === 'StartMessageMoveTaskCommand') return { TaskHandle: 'handle' };
    if (command === 'CancelMessageMoveTaskCommand') return cancel();
    if (command === 'ListMessageMoveTasksCommand' && remaining.length > 0) {
      const task = remaining.shift();
      return { Results: task === undefined ? [] : [task] };
    }
    return unconfigured(command)();
  });
  const stage = { sqs: client, deadLetterQueueUrls: { download: 'd', processing: 'p' } } as unknown as StageConnection;
  const inputsOf = (command: string) => calls.flatMap(([called, input]) => (called === command ? [input] : []));
  return { service: createDeadLetterService(stage), inputsOf, remaining: () => remaining.length };
};

/** Follows a redrive. */
const redriveWith = async (...tasks: readonly (Task | undefined)[]) => {
  const { service, inputsOf, remaining } = serviceWith(tasks);
  const seen: Redrive[] = [];
  for await (const progress of service.redrive('download', { perSecond: 5 })) seen.push(progress);
  const starts = inputsOf('StartMessageMoveTaskCommand');
  expect(starts).toEqual(starts.map(() => ({ SourceArn: 'arn:dead-letters', MaxNumberOfMessagesPerSecond: 5 })));
  return { seen, started: starts.length > 0, remaining: remaining() };
};

const running = (moved: number, StartedTimestamp = 2): Task => ({
  Status: 'RUNNING',
  StartedTimestamp,
  ApproximateNumberOfMessagesMoved: moved,
  ApproximateNumberOfMessagesToMove: 9,
});
const ended = (Status: string, StartedTimestamp = 2): Task => ({ ...running(9, StartedTimestamp), Status });

test('reports the progress until the end', async () => {
  const { seen, started, remaining } = await redriveWith(undefined, running(0), running(4), ended('COMPLETED'));
  expect({ started, remaining }).toEqual({ started: true, remaining: 0 });
  expect(seen.map(({ status, moved, toMove }) => [status, moved, toMove])).toEqual([
    ['RUNNING', 0, 9],
    ['RUNNING', 4, 9],
    ['COMPLETED', 9, 9],
  ]);
});

test('does not mistake the end of the previous redrive for its own', async () => {
  const { seen } = await redriveWith(ended('COMPLETED', 1), ended('COMPLETED', 1), ended('COMPLETED', 2));
  expect(seen.map(({ status }) => status)).toEqual(['RUNNING', 'COMPLETED']);
});

test('follows a redrive that is already running', async () => {
  const { seen, started } = await redriveWith(running(4), running(5), ended('COMPLETED'));
  expect(started).toBe(false);
  expect(seen.map(({ moved }) => moved)).toEqual([5, 9]);
});

test('reports the reason of a failure', async () => {
  const { seen } = await redriveWith(undefined, { ...ended('FAILED'), FailureReason: 'AccessDenied' });
  expect(seen).toEqual([{ status: 'FAILED', moved: 9, toMove: 9, failureReason: 'AccessDenied' }]);
});

describe('stop', () => {
  const stoppable = { ...running(4), TaskHandle: 'handle' };

  test('cancels the redrive and waits for its end', async () => {
    const { service, inputsOf } = serviceWith([stoppable, ended('CANCELLING'), ended('CANCELLED')], () => ({}));
    expect(await service.stop('download')).toMatchObject({ status: 'CANCELLED', moved: 9 });
    expect(inputsOf('CancelMessageMoveTaskCommand')).toEqual([{ TaskHandle: 'handle' }]);
  });

  test('returns a redrive that ended before it could be stopped', async () => {
    const { service } = serviceWith([stoppable, ended('COMPLETED')], () => {
      throw new UnsupportedOperation({ message: 'Only active tasks can be cancelled.', $metadata: {} });
    });
    expect(await service.stop('download')).toMatchObject({ status: 'COMPLETED' });
  });

  test('has nothing to do if no redrive is running', async () => {
    for (const tasks of [[undefined], [ended('COMPLETED')]])
      expect(await serviceWith(tasks).service.stop('download')).toBeUndefined();
  });
});
