import { faultOfLine } from './support/log-lines';
import { lambdaLogGroups, type ResultRow, savedQueries, search } from './support/logs';
import {
  type ApiResponse,
  activity,
  closedOrder,
  eventually,
  notification,
  orderAtQualia,
  post,
} from './support/pipeline';
import { testIfSupported } from './support/target';

// Other tests write to the same log groups at the same time. Therefore these tests compare only their own orders, or only
// past seconds.

const testQueries = testIfSupported('log-queries');

const sinceMs = Date.now() - 1_000;
let logGroupNames: readonly string[];
let processedId: string;
let failingId: string;
let refused: ApiResponse;

beforeAll(async () => {
  logGroupNames = await lambdaLogGroups();
  processedId = (await orderAtQualia())._id;
  failingId = `QO-missing-${Date.now()}`;
  await post(activity(processedId));
  await post(notification(failingId));
  refused = await post({ order_id: '12', notification_type: 'order.eaten' });
  await Promise.all([processedId, failingId].map((id) => closedOrder(id)));
});

const searchAll = (queryString: string, untilMs?: number) =>
  search(queryString, { logGroupNames, sinceMs, ...(untilMs !== undefined && { untilMs }) });

/** Queries past seconds until the result includes this test's rows. */
const queryPast = <T>(what: string, query: (untilMs: number) => Promise<T | undefined>): Promise<T> =>
  eventually(what, () => query(Date.now() - 2_000));

/**
 * Queries lines, and what is computed of them, in past seconds, until the lines include this test's rows, and none of them
 * arrived between the queries: on a busy machine, lines arrive late.
 */
const queryBoth = (what: string, lineQuery: string, query: string, isOwn: (lines: readonly ResultRow[]) => boolean) =>
  queryPast(what, async (untilMs) => {
    const lines = await searchAll(lineQuery, untilMs);
    const computed = await searchAll(query, untilMs);
    const isSettled = (await searchAll(lineQuery, untilMs)).length === lines.length;
    return isSettled && isOwn(lines) ? { lines, computed } : undefined;
  });

const statusesOf = (orderId: string, count: number): Promise<(string | undefined)[]> =>
  eventually(`${count} lines of ${orderId}`, async () => {
    const rows = await searchAll(
      `fields @timestamp, order_id, status\n| filter order_id = "${orderId}"\n| sort @timestamp asc`,
    );
    const times = rows.map((row) => row['@timestamp'] ?? '');
    expect(times).toEqual([...times].sort());
    expect(rows.every(({ order_id }) => order_id === orderId)).toBe(true);
    return rows.length < count ? undefined : rows.map(({ status }) => status);
  });

testQueries('a search returns the lines of one order in sequence', async () => {
  // A Lambda logs its line when it has sent the message, so the next one can be the first to log.
  expect((await statusesOf(processedId, 3)).sort()).toEqual(['DOWNLOADED', 'NOTIFIED', 'PROCESSED']);
  expect((await statusesOf(failingId, 2)).sort()).toEqual(['FAILED', 'NOTIFIED']);
});

testQueries('a search counts errors per five minutes', async () => {
  const { lines, computed: counted } = await queryBoth(
    'an error of this test',
    'fields @timestamp, order_id | filter level = "ERROR"',
    'fields @timestamp, error\n| filter level = "ERROR"\n| stats count() by bin(5m)',
    (found) => found.some(({ order_id }) => order_id === failingId),
  );
  const expected = new Map<string, number>();
  for (const { '@timestamp': time = '' } of lines) {
    const minute = Math.floor(Number(time.slice(14, 16)) / 5) * 5;
    const bin = `${time.slice(0, 14)}${String(minute).padStart(2, '0')}:00.000`;
    expected.set(bin, (expected.get(bin) ?? 0) + 1);
  }
  expect(new Map(counted.map((row) => [row['bin(5m)'], Number(row['count()'])]))).toEqual(expected);
});

testQueries('a search computes the mean, maximum and 95th percentile of response times', async () => {
  const { lines, computed: figures } = await queryBoth(
    'response times of this test',
    'fields order_id, response_time_ms | filter response_time_ms > 0',
    'fields @timestamp, response_time_ms\n| filter response_time_ms > 0\n' +
      '| stats avg(response_time_ms), max(response_time_ms), pct(response_time_ms, 95)',
    (found) => found.filter(({ order_id }) => order_id === processedId).length >= 3,
  );
  const times = lines.map(({ response_time_ms }) => Number(response_time_ms));
  expect(figures).toHaveLength(1);
  const figure = (name: string) => Number(figures[0]?.[`${name}`]);
  expect(figure('avg(response_time_ms)')).toBeCloseTo(times.reduce((sum, time) => sum + time, 0) / times.length, 1);
  expect(figure('max(response_time_ms)')).toBe(Math.max(...times));
  const percentile = figure('pct(response_time_ms, 95)');
  const share = (of: (time: number) => boolean) => times.filter(of).length / times.length;
  expect(share((time) => time <= percentile)).toBeGreaterThanOrEqual(0.95 - 1 / times.length);
  expect(share((time) => time < percentile)).toBeLessThanOrEqual(0.95 + 1 / times.length);
});

testQueries('every saved query searches all log groups and finds matching lines', async () => {
  const saved = await savedQueries();
  const run = async (name: string, id?: string): Promise<ResultRow[]> => {
    const query = [...saved].find(([full]) => full.startsWith(name))?.[1];
    expect(query?.logGroupNames).toEqual(expect.arrayContaining([...logGroupNames]));
    const { queryString = '', logGroupNames: searched = [] } = query ?? {};
    const queryForId = id === undefined ? queryString : queryString.replace(/(_id = )"[^"]*"/, `$1"${id}"`);
    return search(queryForId, { logGroupNames: searched, sinceMs });
  };
  for (const [name] of saved) expect(await run(name)).toBeInstanceOf(Array);

  const finds = (name: string, row: object, id?: string) =>
    eventually(`${name}: ${JSON.stringify(row)}`, async () => {
      const rows = await run(name, id);
      return rows.find((one) => Object.entries(row).every(([field, value]) => one[field] === value));
    });
  await finds('One order, step by step', { order_id: processedId, status: 'PROCESSED' }, processedId);
  await finds('One request', { service: 'webhook', level: 'WARN' }, String(refused.body.request_id));
  await finds('Failures by error code', { error_code: 'ORDER_NOT_FOUND', stage_failed: 'download' });
  await finds('Slowest calls', { order_id: processedId, service: 'download' });
  await finds('Refused webhooks by reason', { reason: 'validation_failed' });
});

testQueries('every line is JSON, with the fields of its event', async () => {
  const lines = await queryPast('lines of this test', async (untilMs) => {
    const rows = await searchAll('fields @message', untilMs);
    return rows.some((row) => row['@message']?.includes(failingId)) ? rows : undefined;
  });
  // The lines of other tests are checked when the suite has ended.
  expect(lines.flatMap((row) => faultOfLine(row['@message'] ?? '') ?? [])).toEqual([]);
});
