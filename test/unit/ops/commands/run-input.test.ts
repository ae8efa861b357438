import { readStartInput, withOneJob } from '../../../../ops/commands/run-input';
import { InvalidInput } from '../../../../shared/runs/input';

const jobs = ['netlife', 'iterable', 'third'];

test.each([
  ['only the input of this job', { netlife: { days: 1 }, iterable: {}, third: {} }, { netlife: { days: 1 } }],
  ['an empty input if the job has none', { third: {} }, { netlife: {} }],
])('a run of one job gets %s', (_what, given, expected) => {
  expect(withOneJob({ run_id: 'a', dry_run: true, ...given }, 'netlife', jobs)).toEqual({
    run_id: 'a',
    dry_run: true,
    ...expected,
  });
});

test('a fault of an input without a file names no file', async () => {
  const refuse = () => {
    throw new InvalidInput(['iterable is missing']);
  };
  await expect(readStartInput({ dryRun: false, wait: false }, refuse, 0)).rejects.toThrow(/^iterable is missing\.$/);
});
