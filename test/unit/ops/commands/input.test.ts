import * as z from 'zod';
import {
  countSchema,
  listableStatusSchema,
  orderIdSchema,
  orderIdsSchema,
  parseDurationMs,
  readInput,
  sinceSchema,
  UsageError,
} from '../../../../ops/commands/input';

const now = Date.UTC(2026, 0, 31, 12);

describe('durations', () => {
  it.each([
    ['45s', 45_000],
    ['30m', 1_800_000],
    ['24h', 86_400_000],
    ['7d', 604_800_000],
    ['2w', 1_209_600_000],
  ])('%s is %i ms', (text, expectedMs) => {
    expect(parseDurationMs(text)).toBe(expectedMs);
  });

  it.each(['', '0h', '24', 'h', '-1h', '1.5h', '24 h', '24H', '1h30m', '100000d', 'yesterday'])(
    '%j is not a duration',
    (text) => {
      expect(parseDurationMs(text)).toBeUndefined();
    },
  );
});

describe('--since', () => {
  it.each([
    ['24h', '2026-01-30T12:00:00.000Z'],
    ['2026-01-31', '2026-01-31T00:00:00.000Z'],
    ['2026-01-31T08:00:00Z', '2026-01-31T08:00:00.000Z'],
    ['2026-01-31T08:00:00+02:00', '2026-01-31T06:00:00.000Z'],
    ['20260131', '2026-01-31T00:00:00.000Z'],
    ['2026-01-31 08:00 +0200', '2026-01-31T06:00:00.000Z'],
    ['2026-01-31t08:00:00,25z', '2026-01-31T08:00:00.250Z'],
  ])('%s is %s', (text, expected) => {
    expect(
      sinceSchema(() => now)
        .parse(text)
        .toISOString(),
    ).toBe(expected);
  });

  it.each([
    ['2026-02-01', 'must be in the past'],
    ['2026-02-31', 'must be a duration such as'],
    ['2026-01-31T08:00:00', 'must be a duration such as'],
    ['99999', 'must be a duration such as'],
    ['soon', 'must be a duration such as'],
    ['', 'must be a duration such as'],
  ])('refuses %j', (text, expected) => {
    expect(sinceSchema(() => now).safeParse(text).error?.issues).toMatchObject([
      { message: expect.stringContaining(expected) },
    ]);
  });
});

test.each([
  ['1', 1],
  ['100', 100],
  ['0', undefined],
  ['101', undefined],
  ['-1', undefined],
  ['1e1', undefined],
  ['ten', undefined],
])('the count %s is read as %p', (text, expected) => {
  expect(countSchema(100).safeParse(text).data).toBe(expected);
});

test('an order ID that is given twice is one order', () => {
  expect(orderIdsSchema.parse(['QO-1', 'QO-2', 'QO-1'])).toEqual(['QO-1', 'QO-2']);
});

describe('parsing the command line', () => {
  const schema = z.object({ id: orderIdSchema, status: listableStatusSchema, limit: countSchema(10) });
  const valid = { stage: 'dev', id: 'QO-1', status: 'FAILED', limit: '5' };

  const faultsOf = (raw: Record<string, unknown>, rules: () => string[] = () => []): readonly string[] => {
    try {
      readInput({ schema, rules }, raw, ['id']);
      return [];
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      return error.faults;
    }
  };

  it('returns the input and the options of every verb', () => {
    expect(readInput({ schema }, valid, ['id'])).toEqual({
      global: { stage: 'dev', local: false, json: false },
      input: { id: 'QO-1', status: 'FAILED', limit: 5 },
    });
  });

  it('lists all faults at once', () => {
    const raw = { stage: 'qa', region: 'moon', id: 'no/id', status: 'NOTIFIED', limit: '11' };
    expect(faultsOf(raw, () => ['a rule is broken'])).toEqual([
      '--stage "qa" must be one of dev, staging, prod',
      '--region "moon" must be an AWS region such as us-east-1',
      '<id> "no/id" must be 1 to 128 letters, digits, "-" or "_"',
      expect.stringMatching(
        /^--status "NOTIFIED" can only be FAILED: .*"orders get <id>" shows an order of any status$/,
      ),
      '--limit "11" must be a whole number from 1 to 10',
      'a rule is broken',
    ]);
  });

  it('shortens long values, and escapes control characters', () => {
    const [fault = ''] = faultsOf({
      stage: 'dev',
      id: `\u202e\u009b31m${'x'.repeat(1_000)}`,
      status: 'FAILED',
      limit: '1',
    });
    expect(fault).toMatch(/^<id> "[ 31mx]+… must be 1 to 128 letters/);
    expect(fault.length).toBeLessThan(300);
  });

  it('names an option as the user types it', () => {
    const dashed = { schema: z.object({ runId: countSchema(1) }) };
    expect(() => readInput(dashed, { stage: 'dev', runId: 'x' }, [])).toThrow('--run-id "x" must be a whole number');
  });

  it('names the invalid one of several arguments', () => {
    const several = { schema: z.object({ ids: orderIdsSchema }) };
    expect(() => readInput(several, { stage: 'dev', ids: ['QO-1', 'no/id', 'QO-2'] }, ['ids'])).toThrow(
      '<ids> "no/id" must be 1 to 128 letters',
    );
  });
});
