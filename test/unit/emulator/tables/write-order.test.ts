import { writeOneAtATime } from '../../../../emulator/tables/write-order';

/** A database whose writes end when the test ends them. */
const fakeLevel = () => {
  const started: string[] = [];
  const ends: PromiseWithResolvers<void>[] = [];
  const write = (name: string) => (key: string) => {
    started.push(`${name} ${key}`);
    const end = Promise.withResolvers<void>();
    ends.push(end);
    return end.promise;
  };
  const level = { _put: write('put'), _del: write('del'), _batch: write('batch'), _clear: write('clear') };
  return { level, started, ends };
};

const settled = () => new Promise((resolve) => setImmediate(resolve));

test('a write starts when the one before it has succeeded', async () => {
  const { level, started, ends } = fakeLevel();
  writeOneAtATime(level);
  void level._put('a');
  void level._batch('b');
  await settled();
  expect(started).toEqual(['put a']);
  ends[0]?.resolve();
  await settled();
  expect(started).toEqual(['put a', 'batch b']);
});

test('no write starts after a failure, and every later write fails', async () => {
  const { level, started, ends } = fakeLevel();
  writeOneAtATime(level);
  const failed = level._put('a');
  const waiting = level._del('b');
  await settled();
  ends[0]?.reject(new Error('No space left on device'));
  await expect(failed).rejects.toThrow('No space left');
  await expect(waiting).rejects.toThrow('No space left');
  await expect(level._put('c')).rejects.toThrow('No space left');
  expect(started).toEqual(['put a']);
});

test('a database without these methods is rejected', () => {
  expect(() => writeOneAtATime({ _put: () => undefined })).toThrow('abstract-level no longer writes with _del');
});
