import { faultOfLine } from './support/log-lines';
import { lambdaLogGroups, type ResultRow, savedQueries, search } from './support/logs';
import { type Answer, activity, closedOrder, eventually, notification, orderAtQualia, post } from './support/pipeline';
import { testOf } from './support/target';

// Other tests write to the same log groups at the same time, so these tests compare only their own orders, or seconds
// that have passed.

jest.setTimeout(90_000);
const testOfQueries = testOf('log-queries');

const sinceMs = Date.now() - 1_000;
let logGroupNames: readonly string[];
let fineId: string;
let failingId: string;
let refusal: Answer;

beforeAll(async () => {
  logGroupNames = await lambdaLogGroups();
  fineId = (await orderAtQualia())._id;
  failingId = `QO-nobody-${Date.now()}`;
  await post(activity(fineId));
  await post(notification(failingId));
  refusal = await post({ order_id: '12', notification_type: 'order.eaten' });
  await Promise.all([fineId, failingId].map((id) => closedOrder(id)));
});

const searchAll = (queryString: string, untilMs?: number) =>
  search(queryString, { logGroupNames, sinceMs, ...(untilMs !== undefined && { untilMs }) });

/** Returns rows of seconds that have passed, once they include this test's rows. */
const settled = <T>(what: string, query: (untilMs: number) => Promise<T | undefined>): Promise<T> =>
  eventually(what, () => query(Date.now() - 2_000));

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

testOfQueries('the lines of one order, in sequence', async () => {
  expect(await statusesOf(fineId, 3)).toEqual(['NOTIFIED', 'DOWNLOADED', 'PROCESSED']);
  expect(await statusesOf(failingId, 2)).toEqual(['NOTIFIED', 'FAILED']);
});

testOfQueries('errors, counted per five minutes', async () => {
  const { lines, counted } = await settled('an error of this test', async (untilMs) => {
    const counted = await searchAll(
      'fields @timestamp, error\n| filter level = "ERROR"\n| stats count() by bin(5m)',
      untilMs,
    );
    const lines = await searchAll('fields @timestamp, order_id | filter level = "ERROR"', untilMs);
    return lines.some(({ order_id }) => order_id === failingId) ? { lines, counted } : undefined;
  });
  const expected = new Map<string, number>();
  for (const { '@timestamp': time = '' } of lines) {
    const minute = Math.floor(Number(time.slice(14, 16)) / 5) * 5;
    const bin = `${time.slice(0, 14)}${String(minute).padStart(2, '0')}:00.000`;
    expected.set(bin, (expected.get(bin) ?? 0) + 1);
  }
  expect(new Map(counted.map((row) => [row['bin(5m)'], Number(row['count()'])]))).toEqual(expected);
});

testOfQueries('response times: mean, maximum, 95th percentile', async () => {
  const { times, figures } = await settled('response times of this test', async (untilMs) => {
    const figures = await searchAll(
      'fields @timestamp, response_time_ms\n| filter response_time_ms > 0\n' +
        '| stats avg(response_time_ms), max(response_time_ms), pct(response_time_ms, 95)',
      untilMs,
    );
    const lines = await searchAll('fields order_id, response_time_ms | filter response_time_ms > 0', untilMs);
    const times = lines.map(({ response_time_ms }) => Number(response_time_ms));
    return lines.filter(({ order_id }) => order_id === fineId).length < 3 ? undefined : { times, figures };
  });
  expect(figures).toHaveLength(1);
  const figure = (name: string) => Number(figures[0]?.[`${name}`]);
  expect(figure('avg(response_time_ms)')).toBeCloseTo(times.reduce((sum, time) => sum + time, 0) / times.length, 1);
  expect(figure('max(response_time_ms)')).toBe(Math.max(...times));
  const percentile = figure('pct(response_time_ms, 95)');
  const share = (of: (time: number) => boolean) => times.filter(of).length / times.length;
  expect(share((time) => time <= percentile)).toBeGreaterThanOrEqual(0.95 - 1 / times.length);
  expect(share((time) => time < percentile)).toBeLessThanOrEqual(0.95 + 1 / times.length);
});

testOfQueries('every saved query runs on its log groups, and finds what it is for', async () => {
  const saved = await savedQueries();
  const run = async (name: string, id?: string): Promise<ResultRow[]> => {
    const query = [...saved].find(([full]) => full.startsWith(name))?.[1];
    expect(query?.logGroupNames).toEqual(expect.arrayContaining([...logGroupNames]));
    const { queryString = '', logGroupNames: searched = [] } = query ?? {};
    const about = id === undefined ? queryString : queryString.replace(/(_id = )"[^"]*"/, `$1"${id}"`);
    return search(about, { logGroupNames: searched, sinceMs });
  };
  for (const [name] of saved) expect(await run(name)).toBeInstanceOf(Array);

  const finds = (name: string, row: object, id?: string) =>
    eventually(`${name}: ${JSON.stringify(row)}`, async () => {
      const rows = await run(name, id);
      return rows.find((one) => Object.entries(row).every(([field, value]) => one[field] === value));
    });
  await finds('One order', { order_id: fineId, status: 'PROCESSED' }, fineId);
  await finds('One request', { service: 'webhook', level: 'WARN' }, String(refusal.body.request_id));
  await finds('Failures by error code', { error_code: 'ORDER_NOT_FOUND', stage_failed: 'download' });
  await finds('Slowest calls', { order_id: fineId, service: 'download' });
  await finds('Refused webhooks by reason', { reason: 'validation_failed' });
});

testOfQueries('every line is JSON, with the fields of its event', async () => {
  const lines = await settled('lines of this test', async (untilMs) => {
    const rows = await searchAll('fields @message', untilMs);
    return rows.some((row) => row['@message']?.includes(failingId)) ? rows : undefined;
  });
  // The lines of other tests are checked when the suite has ended.
  expect(lines.flatMap((row) => faultOfLine(row['@message'] ?? '') ?? [])).toEqual([]);
});
