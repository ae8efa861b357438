import { PromiseCache } from '../../../../shared/netlife/promise-cache';

const createCache = (maxEntries?: number) => {
  const counts = { hits: 0, misses: 0 };
  const cache = new PromiseCache<string>({
    onHit: () => void counts.hits++,
    onMiss: () => void counts.misses++,
    ...(maxEntries === undefined ? {} : { maxEntries }),
  });
  return { cache, counts };
};

test('concurrent callers share one call', async () => {
  const { cache, counts } = createCache();
  const load = jest.fn(async () => 'value');
  expect(await Promise.all([cache.get('a', load), cache.get('a', load)])).toEqual(['value', 'value']);
  expect(load).toHaveBeenCalledTimes(1);
  expect(counts).toEqual({ hits: 1, misses: 1 });
});

test('a failed call is not cached', async () => {
  const { cache } = createCache();
  await expect(cache.get('a', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await cache.get('a', async () => 'value')).toBe('value');
});

test('drops an entry on request, and the oldest beyond its size', async () => {
  const { cache, counts } = createCache(2);
  for (const key of ['a', 'b', 'c', 'c', 'b']) await cache.get(key, async () => key);
  expect(counts).toEqual({ hits: 2, misses: 3 });
  cache.forget('b');
  for (const key of ['b', 'a']) await cache.get(key, async () => key);
  expect(counts).toEqual({ hits: 2, misses: 5 });
});
