import fc from 'fast-check';
import { decodePass, encodePass, noCounts, type Pass } from '../../../../shared/completeness/pass-store';
import { walkStart } from '../../../../shared/completeness/walk';
import { orderId } from '../../../support/orders';

const header = {
  format: 1,
  id: 'pass-1',
  started_at_ms: 1,
  saved_at_ms: 2,
  continues: true,
  walk: { ...walkStart, position: 90, firstId: 'ü\n' },
  walked_at_ms: 3,
  is_endless: false,
  judged: 4,
  counts: { ...noCounts, missing: 5 },
  base: { etag: '"e"', started_at_ms: 0 },
} as const satisfies Pass['header'];

const id = fc.stringMatching(/^[A-Za-z0-9_-]{1,128}$/);
const time = fc.option(fc.nat(), { nil: undefined });
const fingerprint = fc.option(fc.stringMatching(/^[\w-]{12}$/), { nil: undefined });

test('property: a pass is decoded as it was encoded, with its orders in the same sequence', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(
        fc.record({ id, fingerprint, previous: fingerprint, leftAtMs: time, startedAtMs: time, settledAtMs: time }),
        {
          selector: (entry) => entry.id,
        },
      ),
      (entries) => {
        const pass: Pass = { header, open: new Map(), closed: new Map() };
        for (const { id: key, ...entry } of entries) {
          (entry.leftAtMs === undefined ? pass.open : pass.closed).set(key, { orderId: orderId(key), ...entry });
        }
        const read = decodePass(encodePass(pass));
        expect(read).toEqual(pass);
        expect([...(read?.open.keys() ?? [])]).toEqual([...pass.open.keys()]);
      },
    ),
  );
});

test('data that is not a complete pass of this format is not decoded', () => {
  const pass: Pass = { header, open: new Map(), closed: new Map() };
  expect(decodePass(encodePass(pass).subarray(0, 40))).toBeUndefined();
  expect(decodePass(Buffer.from('{}'))).toBeUndefined();
  expect(decodePass(new Uint8Array())).toBeUndefined();
  expect(decodePass(encodePass({ ...pass, header: { ...header, format: 2 as never } }))).toBeUndefined();
});

test('a pass over 100,000 orders is encoded and decoded in seconds', () => {
  const open = new Map(
    Array.from({ length: 100_000 }, (_, index) => {
      const key = orderId(`QO-${index}`);
      return [key, { orderId: key, fingerprint: 'abcdefghijkl' }] as const;
    }),
  );
  const startedAtMs = performance.now();
  expect(decodePass(encodePass({ header, open, closed: new Map() }))?.open.size).toBe(100_000);
  expect(performance.now() - startedAtMs).toBeLessThan(10_000);
});
