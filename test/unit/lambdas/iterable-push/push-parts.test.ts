import { Logger } from '@aws-lambda-powertools/logger';
import { pushParts } from '../../../../lambdas/iterable-push/push-parts';
import { createProgress } from '../../../../shared/runs/progress';
import { createUserParts } from '../../../../shared/runs/user-parts';
import { memoryFolder } from '../../../support/memory-folder';
import { recordMetrics } from '../../../support/metrics';
import { row } from '../../shared/iterable/sample';

const start = async () => {
  const parts = createUserParts(memoryFolder().folder);
  const rows = Array.from({ length: 1_000 }, (_, index) => row(index + 1, index < 10 ? { email: 'none' } : {}));
  await parts.writeRows(0, false, rows);
  await parts.writeRows(1, true, [row(1_001), row(1_002)]);
  await parts.writeExtracted({ rows: 1_002, rejected: 10 });
  const metrics = recordMetrics();
  const told: { readonly done: number; readonly total?: number | undefined }[] = [];
  let nowMs = 0;
  const now = () => (nowMs += 2_000);
  const push = (isTimeUp: () => boolean) =>
    pushParts({
      parts,
      mode: 'single',
      client: undefined,
      context: { deadlineMs: Number.POSITIVE_INFINITY, onRetry: () => undefined },
      isTimeUp,
      progress: createProgress({
        runs: {
          recordProgress: async (_run, _part, { counter }) => {
            told.push(counter);
            return true;
          },
        },
        run: { run_id: 'run-1', execution_arn: 'arn:execution' },
        part: 'iterable/push',
        logger: new Logger({ logLevel: 'SILENT' }),
        now,
      }),
      metrics: metrics.recorder,
      now,
    });
  return { push, metrics, told };
};

test('a dry run counts no user as sent', async () => {
  const { push, metrics } = await start();
  await expect(push(() => false)).resolves.toEqual({ done: true, parts_done: 2, parts_total: 2 });
  expect(metrics.added).toEqual([]);
});

test('a turn that goes on never tells of more users than there are', async () => {
  const { push, told } = await start();
  let looks = 0;
  await expect(push(() => ++looks > 1)).resolves.toEqual({ done: false, parts_done: 1, parts_total: 2 });
  await push(() => false);
  expect(told.at(-1)).toMatchObject({ done: 992, total: 992 });
  expect(told.every(({ done }) => done <= 992)).toBe(true);
});
