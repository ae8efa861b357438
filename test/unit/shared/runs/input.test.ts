import { createPortals } from '../../../../shared/netlife/portals';
import { InvalidInput, readRunInput } from '../../../../shared/runs/input';

const portals = createPortals({ NETLIFE_EXTRA_PORTALS: ['extra'] });
const read = (input: unknown, executionName = 'execution-1') => readRunInput(input, executionName, { portals });
const faultsOf = (input: unknown, executionName?: string): readonly string[] => {
  try {
    read(input, executionName);
    return [];
  } catch (error) {
    if (error instanceof InvalidInput) return error.faults;
    throw error;
  }
};

const netlifeDefaults = {
  portals: portals.names,
  audience: 'both',
  contact_filter: 'any',
  check_registered_users: true,
  registered_only: false,
  create_access_keys: false,
  max_access_key_age_days: 7,
  job_ids: [],
  consent: 'SUBSCRIBE',
};
const iterableDefaults = {
  mode: 'bulk',
  use_jwt: false,
  plan: 'pro',
  pages: ['pricing', 'settings'],
  days: 7,
  source: 'query',
  limit: 0,
  confirm: 20,
  only_changed: false,
  full: false,
  on_removed: 'ignore',
};

test.each([{}, { dry_run: false }])('%j runs both jobs with the defaults', (input) => {
  expect(read(input)).toEqual({
    run_id: 'execution-1',
    dry_run: false,
    after: 'fail',
    netlife: netlifeDefaults,
    iterable: iterableDefaults,
  });
});

test('a job runs if its key is present; an empty object gives the defaults', () => {
  expect(read({ run_id: 'a', netlife: {} })).toEqual({
    run_id: 'a',
    dry_run: false,
    after: 'fail',
    netlife: netlifeDefaults,
  });
  expect(read({ run_id: 'b', dry_run: true, iterable: { limit: 3 } })).toEqual({
    run_id: 'b',
    dry_run: true,
    after: 'fail',
    iterable: { ...iterableDefaults, limit: 3 },
  });
});

test('configured portals are accepted like the known ones, and duplicates are removed', () => {
  expect(read({ netlife: { portals: ['extra', 'nowandgen', 'extra'] } }).netlife?.portals).toEqual([
    'extra',
    'nowandgen',
  ]);
});

test('a token can be used with single calls', () => {
  expect(read({ iterable: { mode: 'single', use_jwt: true } }).iterable).toMatchObject({
    mode: 'single',
    use_jwt: true,
  });
});

test.each([
  ['an array', [], 'the input must be a JSON object'],
  ['null', null, 'the input must be a JSON object'],
  ['an unknown key', { netlif: {} }, 'the input has no "netlif"'],
  ['an unknown key of a job', { iterable: { day: 7 } }, 'iterable has no "day"'],
  ['an unknown key of the other job', { netlife: { portal: 'x' } }, 'netlife has no "portal"'],
  ['unknown keys', { iterable: { day: 7, page: 'x' } }, 'iterable has no "day", "page"'],
  ['a job that is not an object', { netlife: ['nowandgen'] }, 'netlife must be a JSON object'],
  ['a portal that is not a string', { netlife: { portals: [5] } }, 'netlife.portals.0 must be a string'],
  [
    'an unknown audience',
    { netlife: { audience: 'all' } },
    'netlife.audience must be one of "buyers", "non-buyers", "both"',
  ],
  ['an unknown portal', { netlife: { portals: ['evil.example/'] } }, 'netlife.portals.0 is not a known portal'],
  [
    'too many jobs',
    { netlife: { job_ids: Array.from({ length: 1_001 }, String) } },
    'netlife.job_ids must be at most 1,000 ids',
  ],
  [
    'too many portals',
    { netlife: { portals: Array(101).fill('nowandgen') } },
    'netlife.portals has more than 100 entries',
  ],
  ['too many pages', { iterable: { pages: Array(101).fill('pricing') } }, 'iterable.pages has more than 100 entries'],
  ['no portal', { netlife: { portals: [] } }, expect.stringContaining('netlife.portals ')],
  ['a token in bulk', { iterable: { use_jwt: true } }, expect.stringMatching(/^iterable.use_jwt cannot be used/)],
  ['a run id with a slash', { run_id: '../x' }, 'run_id must be 1 to 80 letters, digits, "-" or "_"'],
  ['a run id that is too long', { run_id: 'x'.repeat(81) }, 'run_id must be 1 to 80 letters, digits, "-" or "_"'],
])('%s is refused', (_, input, fault) => {
  expect(faultsOf(input)).toEqual([fault]);
});

test('an execution name with other characters is refused as run id', () => {
  expect(faultsOf({}, 'nightly 1')).toEqual(['run_id must be 1 to 80 letters, digits, "-" or "_"']);
});

test('all faults are reported at once', () => {
  const faults = faultsOf({
    run_id: 'a b',
    dry_run: 'no',
    surprise: 1,
    netlife: { portals: ['nowandgen', 'x', 3], audience: 'all', foo: true },
    iterable: { mode: 'bulk', use_jwt: true, plan: 'gold', pages: [], days: 0, limit: -1 },
  });
  expect(faults.map((fault) => fault.split(' ')[0])).toEqual([
    'run_id',
    'dry_run',
    'netlife.portals.1',
    'netlife.portals.2',
    'netlife.audience',
    'netlife',
    'iterable.plan',
    'iterable.pages',
    'iterable.days',
    'iterable.limit',
    'the',
    'iterable.use_jwt',
  ]);
});

test('quoted input is short and has no control characters', () => {
  const unknown = Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`\u202e\u009b${index}`, 0]));
  const [fault = ''] = faultsOf(unknown);
  expect(fault).toHaveLength(500);
  expect(fault).not.toMatch(/[\p{Cc}\p{Cf}]/u);
});

test('of many faults, the first 50 are reported', () => {
  const faults = faultsOf({ netlife: { portals: Array(100).fill('x') } });
  expect(faults).toHaveLength(51);
  expect(faults.at(-1)).toBe('and 50 more');
});

test('full and on_removed need only_changed', () => {
  expect(faultsOf({ iterable: { on_removed: 'clear' } })).toEqual([
    'iterable.on_removed needs only_changed: a run without it does not know who left the query',
  ]);
  expect(faultsOf({ iterable: { full: true } })).toEqual([
    'iterable.full needs only_changed: a run without it always sends everyone',
  ]);
  expect(faultsOf({ iterable: { full: true, only_changed: true } })).toEqual([]);
});
