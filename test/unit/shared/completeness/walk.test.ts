import fc from 'fast-check';
import { type WalkOptions, walkOpenOrders, walkStart } from '../../../../shared/completeness/walk';
import { PipelineError } from '../../../../shared/errors';
import type { ListedOrder, OpenOrdersRequest } from '../../../../shared/qualia/client';

const toPage = (ids: readonly string[]): ListedOrder[] => ids.map((id) => ({ id, fingerprint: `status of ${id}` }));

interface Walk {
  readonly list: WalkOptions['list'];
  readonly pageSize?: number;
  /** Number of calls after which another process continues the walk. */
  readonly callsPerProcess?: number;
}

/** Walks the list to its end. @returns the orders seen, the requests and the reported refusals */
const walk = async ({ list, pageSize = 4, callsPerProcess = Number.POSITIVE_INFINITY }: Walk) => {
  const seen = new Map<string, string | undefined>();
  const requests: OpenOrdersRequest[] = [];
  const refusals: PipelineError[] = [];
  let progress = walkStart;
  for (;;) {
    let calls = 0;
    const end = await walkOpenOrders({
      progress,
      pageSize,
      list: async (request) => {
        calls++;
        requests.push(request);
        if (requests.length > 1_000) throw new Error('The walk does not end');
        return list(request);
      },
      hasSeen: (id) => seen.has(id),
      onOrder: ({ id, fingerprint }) => void seen.set(id, fingerprint),
      // Serialized, because another process reads it.
      onProgress: (walked) => {
        progress = JSON.parse(JSON.stringify(walked));
      },
      isTimeUp: () => calls >= callsPerProcess,
      onStatusRefused: (error) => void refusals.push(error),
    });
    if (end !== 'out of time') return { end, seen, requests, refusals };
  }
};

const slice = (ids: readonly string[], { limit, offset }: OpenOrdersRequest) =>
  toPage(ids.slice(offset, offset + limit));
const ids = (count: number) => Array.from({ length: count }, (_, index) => `order-${index}`);

test.each([0, 1, 2, 3, 4, 5, 8, 9, 100])(
  'a list of %i orders that does not change is seen completely',
  async (count) => {
    const { end, seen } = await walk({ list: async (request) => slice(ids(count), request) });
    expect(end).toBe('complete');
    expect([...seen.keys()]).toEqual(ids(count));
  },
);

test('the list needs one call for 90 orders, and one more for its end', async () => {
  const { requests } = await walk({ pageSize: 100, list: async (request) => slice(ids(1_000), request) });
  expect(requests).toHaveLength(12);
});

test('a list is read completely if the API sends shorter pages than requested', async () => {
  const { end, seen } = await walk({
    pageSize: 100,
    list: async (request) => slice(ids(230), { ...request, limit: 50 }),
  });
  expect(end).toBe('complete');
  expect(seen.size).toBe(230);
});

test.each([
  ['that fits one page', 3, 'complete'],
  ['that fills its page', 4, 'endless'],
  ['of several pages', 40, 'endless'],
])(
  'the walk of a list %s stops if the API ignores the offset, and does not take a repeated page for the end',
  async (_, count, expected) => {
    const { end, requests } = await walk({ list: async (request) => slice(ids(count), { ...request, offset: 0 }) });
    expect(end).toBe(expected);
    expect(requests.length).toBeLessThan(20);
  },
);

test('a list is complete after one page if the API ignores limit and offset', async () => {
  const { end, seen } = await walk({ list: async () => toPage(ids(50)) });
  expect(end).toBe('complete');
  expect(seen.size).toBe(50);
});

test('no order is missed if others close between two pages, however many', async () => {
  const open = ids(300);
  const { end, seen } = await walk({
    pageSize: 20,
    list: async (request) => {
      const page = slice(open, request);
      // Half of the orders on this page close.
      if (request.offset < 200) open.splice(request.offset, 10);
      return page;
    },
  });
  expect(end).toBe('complete');
  for (const id of open) expect(seen.has(id)).toBe(true);
});

describe('status fields', () => {
  const refusal = new PipelineError('GRAPHQL_ERROR', 'No such field', { api: 'qualia', retryable: false });

  test('are requested', async () => {
    const { seen, refusals } = await walk({ list: async (request) => slice(['a'], request) });
    expect(seen.get('a')).toBe('status of a');
    expect(refusals).toEqual([]);
  });

  test.each([
    ['a GraphQL error', refusal],
    ['400', new PipelineError('API_REFUSED', 'x', { api: 'qualia', retryable: false, statusCode: 400 })],
  ])('refused with %s: the walk continues without them, and reports it once', async (_, error) => {
    const { seen, requests, refusals } = await walk({
      callsPerProcess: 2,
      list: async (request) => {
        if (request.withStatus) throw error;
        return slice(ids(20), request).map(({ id }) => ({ id, fingerprint: undefined }));
      },
    });
    expect([...seen]).toEqual(ids(20).map((id) => [id, undefined]));
    expect(requests.filter(({ withStatus }) => withStatus)).toHaveLength(1);
    expect(refusals).toEqual([error]);
  });

  test.each([
    [
      'that is transient',
      new PipelineError('API_UNAVAILABLE', 'x', { api: 'qualia', retryable: true, statusCode: 503 }),
    ],
    ['of our credentials', new PipelineError('API_REFUSED', 'x', { api: 'qualia', retryable: false, statusCode: 401 })],
  ])('a failure %s is not taken for a refusal of fields', async (_, error) => {
    const failing = walk({ list: () => Promise.reject(error) });
    await expect(failing).rejects.toBe(error);
  });

  test('a list that is also refused without them fails with the second error, and nothing is reported', async () => {
    const second = new PipelineError('API_REFUSED', 'x', { api: 'qualia', retryable: false, statusCode: 403 });
    const failing = walk({ list: ({ withStatus }) => Promise.reject(withStatus ? refusal : second) });
    await expect(failing).rejects.toBe(second);
  });
});

/** Orders open and close anywhere in the list between two calls; the others keep their relative order. */
const change = fc.oneof(
  fc.record({ kind: fc.constant('open' as const), at: fc.nat(60), count: fc.integer({ min: 1, max: 12 }) }),
  fc.record({ kind: fc.constant('close' as const), at: fc.nat(60), count: fc.integer({ min: 1, max: 12 }) }),
);

test('property: a walk sees every order that is open from its start to its end, whatever opens and closes meanwhile', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 60 }),
      fc.integer({ min: 2, max: 9 }),
      fc.integer({ min: 1, max: 4 }),
      fc.array(fc.array(change, { maxLength: 3 }), { maxLength: 40 }),
      async (count, pageSize, callsPerProcess, changes) => {
        const open = ids(count);
        const throughout = new Set(open);
        let call = 0;
        const { end, seen } = await walk({
          pageSize,
          callsPerProcess,
          list: async (request) => {
            const page = slice(open, request);
            for (const { kind, at, count: changedCount } of changes[call++] ?? []) {
              const place = Math.min(at, open.length);
              if (kind === 'open')
                open.splice(place, 0, ...ids(changedCount).map((id) => `${id}-opened-${call}-${place}`));
              else for (const id of open.splice(place, changedCount)) throughout.delete(id);
            }
            return page;
          },
        });
        // An order that the walk misses would count as left, or would not be reported as missing.
        if (end === 'complete') expect([...throughout].filter((id) => !seen.has(id))).toEqual([]);
        else expect(call).toBeGreaterThan(changes.length / 2);
      },
    ),
    { numRuns: 500 },
  );
});
