import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Ajv from 'ajv/dist/2020';
import fc from 'fast-check';
import { createRunInputSchema } from '../../../bin/docs/run-input-schema';
import { createPortals } from '../../../shared/netlife/portals';
import { readRunInput } from '../../../shared/runs/input';
import { syncJobNames } from '../../../shared/runs/jobs';

const root = join(__dirname, '../../..');
const portals = createPortals();
const isValid = new Ajv({ strictTypes: false, strictRequired: false }).compile(createRunInputSchema());

const isAccepted = (input: unknown): boolean => {
  try {
    readRunInput(input, 'execution', { portals });
    return true;
  } catch {
    return false;
  }
};

test('accepts the defaults, and the example of the contract', () => {
  const contract = readFileSync(join(root, 'docs/contracts/sync-jobs.md'), 'utf8');
  const [, example = ''] = /```json\n(.*?)```/s.exec(contract) ?? [];
  const inputs = [{}, ...syncJobNames.map((name) => ({ [name]: {} })), JSON.parse(example)];
  expect(inputs.map(isAccepted)).toEqual(inputs.map(() => true));
  expect(inputs.map((input) => isValid(input))).toEqual(inputs.map(() => true));
});

test('documents every key of every job', () => {
  const undocumented = (value: unknown): unknown[] =>
    typeof value !== 'object' || value === null || !('properties' in value)
      ? []
      : Object.entries(value.properties as object).flatMap(([name, property]) => [
          ...('description' in property ? [] : [name]),
          ...undocumented(property),
        ]);
  expect(undocumented(createRunInputSchema())).toEqual([]);
});

test('accepts the same inputs as a run', () => {
  const json = fc.oneof(
    fc.constantFrom(true, false, null, '', 'x', 0, 1, 1.5, 3650, 3651, -1),
    fc.constantFrom([], {}, ['x']),
  );
  /** An object whose keys are valid, broken, or absent. */
  const keys = (valid: Readonly<Record<string, fc.Arbitrary<unknown>>>) =>
    fc.record(
      Object.fromEntries(
        Object.entries(valid).map(([key, value]) => [
          key,
          fc.oneof({ weight: 9, arbitrary: value }, { weight: 1, arbitrary: json }),
        ]),
      ),
      { requiredKeys: [] },
    );
  const flag = fc.boolean();
  const netlife = keys({
    // Only valid portals: the schema describes the valid names as text, so it does not reject others.
    portals: fc.subarray([...portals.names]),
    audience: fc.constantFrom('buyers', 'non-buyers', 'both', 'all'),
    contact_filter: fc.constantFrom('phone-only', 'email-only', 'any'),
    check_registered_users: flag,
    registered_only: flag,
    create_access_keys: flag,
    max_access_key_age_days: fc.integer({ min: -1, max: 31 }),
    job_ids: fc.array(fc.constantFrom('job', '', 'x'.repeat(101))),
    consent: fc.constantFrom('SUBSCRIBE', 'x'.repeat(41)),
  });
  const iterable = keys({
    mode: fc.constantFrom('single', 'bulk'),
    use_jwt: flag,
    plan: fc.constantFrom('free', 'pro', 'none'),
    pages: fc.array(fc.constantFrom('pricing', 'x'.repeat(65))),
    days: fc.integer({ min: -1, max: 3652 }),
    limit: fc.integer({ min: -1, max: 10 }),
    confirm: fc.integer({ min: -1, max: 101 }),
    only_changed: flag,
    full: flag,
    on_removed: fc.constantFrom('ignore', 'clear', 'delete'),
  });
  const input = keys({
    run_id: fc.constantFrom('nightly-1', 'a b', 'x'.repeat(81)),
    dry_run: flag,
    netlife,
    iterable,
    other: json,
  });
  const counts = { accepted: 0, refused: 0 };
  fc.assert(
    fc.property(fc.oneof(input, json), (given) => {
      fc.pre(!JSON.stringify(given).includes('"portals":["x"]'));
      const accepted = isAccepted(given);
      expect(isValid(given)).toBe(accepted);
      counts[accepted ? 'accepted' : 'refused'] += 1;
    }),
    { numRuns: 2_000 },
  );
  expect(Math.min(counts.accepted, counts.refused)).toBeGreaterThan(20);
});
