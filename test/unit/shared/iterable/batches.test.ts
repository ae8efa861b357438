import fc from 'fast-check';
import { bulkBody, cutBatches } from '../../../../shared/iterable/batches';
import { collect, stream, user, users } from './sample';

test('property: every batch is within the limits, keeps the order, contains every user, and has no room for the next one', async () => {
  const texts = fc.string({ unit: 'grapheme', maxLength: 60 });
  const someUsers = fc
    .array(fc.record({ candidate: texts, location: texts, device: fc.option(texts) }), { maxLength: 60 })
    .map((changes) => changes.map((change, index) => user(index, change)));
  const limits = fc.record({ items: fc.integer({ min: 1, max: 20 }), bodyBytes: fc.integer({ min: 600, max: 5_000 }) });
  const fits = (
    batch: Parameters<typeof bulkBody.trackEvents>[0],
    { items, bodyBytes }: { items: number; bodyBytes: number },
  ) =>
    batch.length <= items &&
    Buffer.byteLength(bulkBody.updateUsers(batch)) <= bodyBytes &&
    Buffer.byteLength(bulkBody.trackEvents(batch)) <= bodyBytes;

  await fc.assert(
    fc.asyncProperty(someUsers, limits, async (given, limit) => {
      const batches = await collect(cutBatches(stream(given), limit));
      expect(batches.flat()).toEqual(given);
      batches.forEach((batch, index) => {
        expect(batch.length).toBeGreaterThan(0);
        expect(batch.length === 1 || fits(batch, limit)).toBe(true);
        const [next] = batches[index + 1] ?? [];
        if (next !== undefined) expect(fits([...batch, next], limit)).toBe(false);
      });
    }),
  );
});

test('a batch has at most 1,000 users and 4,000,000 bytes', async () => {
  const sizes = async (given: Parameters<typeof stream<ReturnType<typeof user>>>[0]) =>
    (await collect(cutBatches(stream(given)))).map(({ length }) => length);
  expect(await sizes(users(2_001))).toEqual([1_000, 1_000, 1]);
  const large = Array.from({ length: 5 }, (_, index) => user(index, { candidate: 'x'.repeat(1_000_000) }));
  expect(await sizes(large)).toEqual([3, 2]);
});
