import { createKeepingQueue } from '../../../../lambdas/webhook/keep-unsent';
import { createLogger } from '../../../../shared/observability/logger';
import type { DownloadMessage } from '../../../../shared/orders/message';
import { type CapturedLogs, captureLogs } from '../../../support/logs';
import { downloadMessage } from '../../../support/orders';

let logs: CapturedLogs;
beforeEach(() => {
  logs = captureLogs();
});
afterEach(() => logs.stop());

const message = downloadMessage();
const failure = new Error('SQS is down');

const open = (send: () => Promise<void>, keepUnsent: (message: DownloadMessage) => Promise<void>) =>
  createKeepingQueue({
    queue: { send },
    keepUnsent,
    logger: createLogger({ STAGE: 'dev', SERVICE_VERSION: '1' }),
  });

test('a message that was sent is not kept', async () => {
  const kept: DownloadMessage[] = [];
  await open(
    async () => undefined,
    async (one) => void kept.push(one),
  ).send(message);
  expect(kept).toEqual([]);
});

test('a message that cannot be sent is kept, and the caller gets the failure', async () => {
  const kept: DownloadMessage[] = [];
  const queue = open(
    () => Promise.reject(failure),
    async (one) => void kept.push(one),
  );
  await expect(queue.send(message)).rejects.toBe(failure);
  expect(kept).toEqual([message]);
  expect(logs.lines()).toEqual([]);
});

test('if it cannot be kept either, that is logged, and the caller gets the first failure', async () => {
  const queue = open(
    () => Promise.reject(failure),
    () => Promise.reject(new Error('DynamoDB is down')),
  );
  await expect(queue.send(message)).rejects.toBe(failure);
  expect(logs.lines()).toMatchObject([
    { level: 'ERROR', message: 'unsent message was not kept', error_code: 'INTERNAL_FAULT' },
  ]);
});
