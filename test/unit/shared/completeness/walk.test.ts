import fc from 'fast-check';
import { type WalkOptions, walkOpenOrders, walkStart } from '../../../../shared/completeness/walk';
import { PipelineError } from '../../../../shared/errors';
import type { ListedOrder, OpenOrdersRequest } from '../../../../shared/qualia/client';

const toPage = (ids: readonly string[]): ListedOrder[] => ids.map((id) => ({ id, fingerprint: `status of ${id}` }));

interface Walk {
  readonly list: WalkOptions['list'];
  readonly pageSize?: number;
  /** Calls after which the walk is interrupted and continued by another process. */
  readonly callsPerTurn?: number;
}

/** Walks to the end. @returns what was seen and requested */
const walk = async ({ list, pageSize = 4, callsPerTurn = Number.POSITIVE_INFINITY }: Walk) => {
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
      // As another process reads it.
      onProgress: (walked) => {
        progress = JSON.parse(JSON.stringify(walked));
      },
      isTimeUp: () => calls >= callsPerTurn,
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

test('the list costs one call for 90 orders, and one more for its end', async () => {
  const { requests } = await walk({ pageSize: 100, list: async (request) => slice(ids(1_000), request) });
  expect(requests).toHaveLength(12);
});

test('an API that allows shorter pages than requested is read completely', async () => {
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
  'a list %s of an API that ignores the offset ends, and a repeated page does not look like the end',
  async (_, count, expected) => {
    const { end, requests } = await walk({ list: async (request) => slice(ids(count), { ...request, offset: 0 }) });
    expect(end).toBe(expected);
    expect(requests.length).toBeLessThan(20);
  },
);

test('an API that ignores limit and offset gives the whole list at once', async () => {
  const { end, seen } = await walk({ list: async () => toPage(ids(50)) });
  expect(end).toBe('complete');
  expect(seen.size).toBe(50);
});

test('orders that close between two pages make no order slip through, however many they are', async () => {
  const open = ids(300);
  const { end, seen } = await walk({
    pageSize: 20,
    list: async (request) => {
      const page = slice(open, request);
      // Half of what was just read closes.
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
      callsPerTurn: 2,
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
    ['that passes', new PipelineError('API_UNAVAILABLE', 'x', { api: 'qualia', retryable: true, statusCode: 503 })],
    ['of our credentials', new PipelineError('API_REFUSED', 'x', { api: 'qualia', retryable: false, statusCode: 401 })],
  ])('a failure %s is not taken for a refusal of fields', async (_, error) => {
    const failing = walk({ list: () => Promise.reject(error) });
    await expect(failing).rejects.toBe(error);
  });

  test('an API that refuses the list without them too fails with the second error, and nothing is reported', async () => {
    const second = new PipelineError('API_REFUSED', 'x', { api: 'qualia', retryable: false, statusCode: 403 });
    const failing = walk({ list: ({ withStatus }) => Promise.reject(withStatus ? refusal : second) });
    await expect(failing).rejects.toBe(second);
  });
});

/** Between two calls, orders open and close anywhere in the list; those that stay keep their relative order. */
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
      async (count, pageSize, callsPerTurn, changes) => {
        const open = ids(count);
        const throughout = new Set(open);
        let call = 0;
        const { end, seen } = await walk({
          pageSize,
          callsPerTurn,
          list: async (request) => {
            const page = slice(open, request);
            for (const { kind, at, count: many } of changes[call++] ?? []) {
              const place = Math.min(at, open.length);
              if (kind === 'open') open.splice(place, 0, ...ids(many).map((id) => `${id}-opened-${call}-${place}`));
              else for (const id of open.splice(place, many)) throughout.delete(id);
            }
            return page;
          },
        });
        // Neither taken for one that left, nor missed if it has no item here.
        if (end === 'complete') expect([...throughout].filter((id) => !seen.has(id))).toEqual([]);
        else expect(call).toBeGreaterThan(changes.length / 2);
      },
    ),
    { numRuns: 500 },
  );
});
