import fc from 'fast-check';
import { fingerprintOf } from '../../../../shared/completeness/fingerprint';

const details = { open: true, completed: false, closed_date: null, created_date: '2026-01-05' };

test('does not depend on case, spacing, the order of fields, or nulls', () => {
  const fingerprint = fingerprintOf({ status: 'Revision Required', status_details: details });
  expect(fingerprint).toMatch(/^[\w-]{12}$/);
  const reversed = Object.fromEntries(Object.entries(details).reverse());
  expect(fingerprintOf({ status: ' revision  REQUIRED ', status_details: reversed })).toBe(fingerprint);
  const { closed_date: _, ...withoutNulls } = details;
  expect(fingerprintOf({ status: 'revision_required', status_details: withoutNulls })).toBe(fingerprint);
});

test('changes with the status and with every detail', () => {
  const all = [
    fingerprintOf({ status: 'open', status_details: details }),
    fingerprintOf({ status: 'completed', status_details: details }),
    fingerprintOf({ status_details: details }),
    ...Object.keys(details).map((name) =>
      fingerprintOf({ status: 'open', status_details: { ...details, [name]: 'x' } }),
    ),
  ];
  expect(new Set(all).size).toBe(all.length);
});

test('is undefined without a status', () => {
  expect(fingerprintOf({})).toBeUndefined();
  expect(fingerprintOf({ status: null, status_details: null })).toBeUndefined();
  expect(fingerprintOf({ status: null, status_details: { open: null } })).toBeUndefined();
});

test('property: any JSON value gives a fingerprint or undefined, and never throws', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (status, status_details) => {
      const fingerprint = fingerprintOf({ status, status_details });
      expect(fingerprint ?? 'xxxxxxxxxxxx').toMatch(/^[\w-]{12}$/);
      expect(fingerprintOf(JSON.parse(JSON.stringify({ status, status_details })))).toBe(fingerprint);
    }),
  );
});
