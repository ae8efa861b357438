import { PassThrough } from 'node:stream';
import { createProgress } from '../../../../local/start/progress';

const createTerminal = (isTTY: boolean) => {
  const stream = new PassThrough({ encoding: 'utf8' });
  const terminal = Object.assign(stream, { isTTY, columns: 30 }) as unknown as NodeJS.WriteStream;
  return { progress: createProgress(terminal), written: (): string => stream.read() ?? '' };
};

const clear = '\r\u001b[2K';

test('in a terminal, activities share one line, which is overwritten and cut to the width', () => {
  const { progress, written } = createTerminal(true);
  const [first, second] = [progress.activity(), progress.activity()];
  first('webhooks 1');
  second('syncs');
  expect(written()).toBe(`webhooks 1${clear}webhooks 1 · syncs`);
  progress.note('A line that stays.');
  expect(written()).toBe(`${clear}A line that stays.\nwebhooks 1 · syncs`);
  first('a text that is longer than the terminal');
  expect(written()).toBe(`${clear}a text that is longer than th`);
  first('');
  second('');
  expect(written()).toBe(`${clear}syncs${clear}`);
  progress.note('The end.');
  expect(written()).toBe('The end.\n');
});

test('elsewhere, it writes a line every five seconds', () => {
  jest.useFakeTimers();
  const { progress, written } = createTerminal(false);
  const update = progress.activity();
  update('1 of 3');
  jest.advanceTimersByTime(4_999);
  update('2 of 3');
  expect(written()).toBe('1 of 3\n');
  jest.advanceTimersByTime(1);
  update('3 of 3');
  progress.note('The end.');
  expect(written()).toBe('3 of 3\nThe end.\n');
  jest.useRealTimers();
});
