import type { SQSClient } from '@aws-sdk/client-sqs';
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
}

/** Follows a redrive while SQS lists each of these tasks in turn as the newest. */
const redriveWith = async (...newest: readonly (Task | undefined)[]) => {
  const looks = [...newest];
  const commands: string[] = [];
  const { client } = fakeAwsClient<SQSClient>((_input, command) => {
    commands.push(command);
    if (command === 'GetQueueAttributesCommand') return { Attributes: { QueueArn: 'arn:dead-letters' } };
    if (command === 'StartMessageMoveTaskCommand') return { TaskHandle: 'handle' };
    if (command === 'ListMessageMoveTasksCommand' && looks.length > 0) {
      const task = looks.shift();
      return { Results: task === undefined ? [] : [task] };
    }
    return unconfigured(command)();
  });
  const stage = { sqs: client, deadLetterQueueUrls: { download: 'd', processing: 'p' } } as unknown as StageConnection;
  const seen: Redrive[] = [];
  for await (const progress of createDeadLetterService(stage).redrive('download')) seen.push(progress);
  return { seen, started: commands.includes('StartMessageMoveTaskCommand'), left: looks.length };
};

const running = (moved: number, StartedTimestamp = 2): Task => ({
  Status: 'RUNNING',
  StartedTimestamp,
  ApproximateNumberOfMessagesMoved: moved,
  ApproximateNumberOfMessagesToMove: 9,
});
const ended = (Status: string, StartedTimestamp = 2): Task => ({ ...running(9, StartedTimestamp), Status });

test('reports the progress until the end', async () => {
  const { seen, started, left } = await redriveWith(undefined, running(0), running(4), ended('COMPLETED'));
  expect({ started, left }).toEqual({ started: true, left: 0 });
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

test('reports why it failed', async () => {
  const { seen } = await redriveWith(undefined, { ...ended('FAILED'), FailureReason: 'AccessDenied' });
  expect(seen).toEqual([{ status: 'FAILED', moved: 9, toMove: 9, failureReason: 'AccessDenied' }]);
});
