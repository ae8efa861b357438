import { readOnThisThread } from '../../../../emulator/tables/direct-reads';

test('a read uses the synchronous method of the database', async () => {
  const level = {
    items: new Map([['a', '1']]),
    async _get(_key: string): Promise<unknown> {
      throw new Error('This read would wait for another thread');
    },
    _getSync(key: string): unknown {
      return this.items.get(key);
    },
  };
  readOnThisThread(level);
  expect(await level._get('a')).toBe('1');
  expect(await level._get('b')).toBeUndefined();
});

test('a database without these methods is refused', () => {
  expect(() => readOnThisThread({ _get: () => undefined })).toThrow('abstract-level no longer reads');
});
