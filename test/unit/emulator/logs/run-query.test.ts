import { parseQuery } from '../../../../emulator/logs/insights/parse-query';
import type { LogEvent } from '../../../../emulator/logs/insights/row';
import { runQuery } from '../../../../emulator/logs/insights/run-query';

const startMs = Date.UTC(2026, 10, 22, 8, 30);

/** Events of one log group, one per second. */
const eventsOf = (...messages: readonly (string | object)[]): LogEvent[] =>
  messages.map((message, index) => ({
    timestamp: startMs + index * 1_000,
    message: typeof message === 'string' ? message : JSON.stringify(message),
    log: '000000000000:/aws/lambda/dev-marketplace-webhook',
    logStream: 'stream',
  }));

async function* stream(events: Iterable<LogEvent>) {
  yield* events;
}

/** The rows as objects, without the pointers to their events. */
const rowsOf = async (query: string, events: Iterable<LogEvent>, limit?: number) => {
  const rows = await runQuery(parseQuery(query), stream(events), { limit }).rows;
  return rows.map((row) =>
    Object.fromEntries(row.filter(({ field }) => field !== '@ptr').map(({ field, value }) => [field, value])),
  );
};

/** The values of column `x`, in rows that have one. */
const xOf = async (query: string, ...messages: readonly (string | object)[]) =>
  (await rowsOf(query, eventsOf(...messages))).map(({ x }) => x);

describe('fields', () => {
  test("are the event's own, those of its JSON (nested ones with dots), and computed ones", async () => {
    const event = { a: 1.5, 'b.c': 'flat', d: { e: [{ f: 'deep' }] }, yes: true, no: false, nothing: null };
    const query =
      'fields @timestamp, @log, @logStream, a, b.c, d.e.0.f, d, yes, no, nothing, a * 2 as double, strlen(b.c)';
    expect(await rowsOf(query, eventsOf(event))).toEqual([
      {
        '@timestamp': '2026-11-22 08:30:00.000',
        '@log': '000000000000:/aws/lambda/dev-marketplace-webhook',
        '@logStream': 'stream',
        a: '1.5',
        'b.c': 'flat',
        'd.e.0.f': 'deep',
        d: '{"e":[{"f":"deep"}]}',
        yes: '1',
        no: '0',
        double: '3',
        'strlen(b.c)': '4',
      },
    ]);
  });

  test('are the time and the message by default; display replaces the selection', async () => {
    expect(await rowsOf('limit 1', eventsOf('plain text'))).toEqual([
      { '@timestamp': '2026-11-22 08:30:00.000', '@message': 'plain text' },
    ]);
    expect(await rowsOf('fields a, b | fields c | display c, a', eventsOf({ a: 1, b: 2, c: 3 }))).toEqual([
      { c: '3', a: '1' },
    ]);
  });

  test('with special characters in their names need backticks', async () => {
    expect(await rowsOf('fields `x-y` as x', eventsOf({ 'x-y': 1 }))).toEqual([{ x: '1' }]);
  });

  test('can be parsed from a text, with a glob or a pattern', async () => {
    const events = eventsOf('user=ada took 12 ms');
    const parsed = [{ x: 'ada', y: '12 ms' }];
    expect(await rowsOf('parse @message "user=* took *" as x, y', events)).toEqual(parsed);
    expect(await rowsOf('parse @message /user=(?<x>\\w+) took (?<y>.*)/ | display x, y', events)).toEqual(parsed);
  });
});

describe('filter', () => {
  const events = [{ x: 5 }, { x: '10' }, { x: 'abc' }, { y: 1 }, 'no JSON'];

  test.each([
    ['x = 10', ['10']],
    ['x = "10"', ['10']],
    ['x > 5', ['abc', '10']],
    ['x >= 5 and x < 20', ['10', '5']],
    ['x <= 5', ['5']],
    ['x != 5', [undefined, undefined, 'abc', '10']],
    ['not x = 5', [undefined, undefined, 'abc', '10']],
    ['ispresent(x)', ['abc', '10', '5']],
    ['not isPresent(x)', [undefined, undefined]],
    ['x in [5, "abc"]', ['abc', '5']],
    ['x not in [5, "abc"] and ispresent(x)', ['10']],
    ['x like "b"', ['abc']],
    ["x like 'B'", []],
    ['x like /(?i)B/', ['abc']],
    ['x =~ /^\\d+$/', ['10', '5']],
    ['x not like /\\d/', [undefined, undefined, 'abc']],
    ['@message like /JSON/', [undefined]],
    ['x = 5 or x = 10 and y = 1', ['5']],
    ['(x = 5 or x = 10) and strlen(x) = 2', ['10']],
    ['x % 2 = 0', ['10']],
    ['X = 5', []],
  ])('%s selects %j', async (condition, expected) => {
    expect(await xOf(`fields x | filter ${condition}`, ...events)).toEqual(expected);
  });

  test('treats true and false as 1 and 0', async () => {
    for (const condition of ['x = 1', 'x = true', 'x != false', 'x']) {
      expect(await xOf(`fields x | filter ${condition}`, { x: true }, { x: false })).toEqual(['1']);
    }
  });
});

test.each([
  ['1 + 2 * 3 ^ 2 - 4 / 2', '17'],
  ['(1 + 2) * -3', '-9'],
  ['7 % 4', '3'],
  ['a / 0', undefined],
  ['a + "text"', undefined],
  ['abs(-a)', '4'],
  ['ceil(1.2) + floor(1.8)', '3'],
  ['greatest(1, a, 3)', '4'],
  ['least(1, a, 3)', '1'],
  ['sqrt(a)', '2'],
  ['log(1)', '0'],
  ['coalesce(missing, text, "other")', ' Ab '],
  ['isempty(missing) + isempty("") + isempty(text)', '2'],
  ['isblank("  ")', '1'],
  ['strlen(text)', '4'],
  ['strlen(missing)', undefined],
  ['tolower(trim(text))', 'ab'],
  ['toupper(ltrim(text))', 'AB '],
  ['rtrim(text)', ' Ab'],
  ['concat(a, "-", trim(text))', '4-Ab'],
  ['replace("a.b.c", ".", "/")', 'a/b/c'],
  ['substr("abcdef", 2)', 'cdef'],
  ['substr("abcdef", 2, 3)', 'cde'],
  ['strcontains(text, "Ab")', '1'],
  ['"a \\"quoted\\" text"', 'a "quoted" text'],
  ['bin(1h)', '2026-11-22 08:00:00.000'],
  ['datefloor(@timestamp, 1d)', '2026-11-22 00:00:00.000'],
  ['dateceil(@timestamp, 1d)', '2026-11-23 00:00:00.000'],
  ['fromMillis(0)', '1970-01-01 00:00:00.000'],
  ['toMillis(@timestamp)', String(startMs)],
])('%s is %s', async (expression, expected) => {
  expect(await xOf(`fields ${expression} as x`, { a: 4, text: ' Ab ' })).toEqual([expected]);
});

describe('the order', () => {
  const numbered = (count: number) => eventsOf(...Array.from({ length: count }, (_, x) => ({ x, half: x % 2 })));

  test('is newest first, with at most 10,000 rows or the caller’s limit', async () => {
    const events = numbered(25_000);
    const rows = await rowsOf('fields x', events);
    expect(rows.length).toBe(10_000);
    expect([rows.at(0), rows.at(-1)]).toEqual([{ x: '24999' }, { x: '15000' }]);
    expect(await rowsOf('fields x', events, 2)).toEqual([{ x: '24999' }, { x: '24998' }]);
  });

  test('follows the keys of sort, with missing values last', async () => {
    expect(await xOf('fields x | sort y, x desc', { x: 1, y: 2 }, { x: 2, y: 1 }, { x: 3, y: 1 }, { x: 4 })).toEqual([
      '3',
      '2',
      '1',
      '4',
    ]);
    expect(await xOf('fields x | sort x', { x: 10 }, { x: 9 }, { x: 'b' }, { x: '1' }, { x: 'a' }, { z: 1 })).toEqual([
      ...['a', 'b', '1', '9', '10'],
      undefined,
    ]);
    expect(await xOf('fields x | sort x desc', { x: 1 }, { y: 1 }, { x: 2 })).toEqual(['2', '1', undefined]);
  });

  test('of equal rows is the order of the events', async () => {
    const rows = await rowsOf('fields x, half | sort half | limit 20000', numbered(20_000), 20_000);
    expect(rows.slice(0, 2)).toEqual([
      { x: '0', half: '0' },
      { x: '2', half: '0' },
    ]);
    expect(rows.at(-1)).toEqual({ x: '19999', half: '1' });
  });

  test('is applied before limit, regardless of later commands', async () => {
    expect(await xOf('fields x | sort x desc | limit 2 | filter x < 3', { x: 1 }, { x: 2 }, { x: 3 })).toEqual(['2']);
  });

  test('determines which row dedup keeps; all rows without the field are kept', async () => {
    const events = [{ x: 1, k: 'a' }, { x: 2, k: 'a' }, { x: 3, k: 'b' }, { x: 4 }, { x: 5 }];
    expect(await xOf('fields x | dedup k', ...events)).toEqual(['5', '4', '3', '2']);
    expect(await xOf('fields x | sort x | dedup k | limit 2', ...events)).toEqual(['1', '3']);
    const distinct = await rowsOf('fields half | dedup half', numbered(30_000));
    expect(distinct).toEqual([{ half: '1' }, { half: '0' }]);
  });
});

describe('stats', () => {
  const events = eventsOf(
    { k: 'a', x: 1 },
    { k: 'b', x: 5 },
    { k: 'a', x: 2 },
    { k: 'a', x: 9 },
    { k: 'b' },
    { x: 'text' },
  );

  test('computes every aggregate', async () => {
    const query =
      'stats count(), count(*), count(x), count_distinct(k), sum(x), avg(x), min(x), max(x), pct(x, 50), median(x), ' +
      'stddev(x), earliest(k), latest(k), sum(x) / count(k) as ratio';
    expect(await rowsOf(query, events)).toEqual([
      {
        'count()': '6',
        'count(*)': '6',
        'count(x)': '5',
        'count_distinct(k)': '2',
        'sum(x)': '17',
        'avg(x)': '4.25',
        'min(x)': '1',
        'max(x)': 'text',
        'pct(x, 50)': '2',
        'median(x)': '2',
        'stddev(x)': String(Math.sqrt((3.25 ** 2 + 0.75 ** 2 + 2.25 ** 2 + 4.75 ** 2) / 4)),
        'earliest(k)': 'a',
        'latest(k)': 'b',
        ratio: '3.4',
      },
    ]);
  });

  test('groups by fields; events without the field are a group too', async () => {
    expect(await rowsOf('stats count() as n, max(x) as most by k', events)).toEqual([
      { k: 'a', n: '3', most: '9' },
      { k: 'b', n: '2', most: '5' },
      { n: '1', most: 'text' },
    ]);
  });

  test('groups by time, oldest first', async () => {
    expect(await rowsOf('stats count() by bin(2s)', events)).toEqual([
      { 'bin(2s)': '2026-11-22 08:30:00.000', 'count()': '2' },
      { 'bin(2s)': '2026-11-22 08:30:02.000', 'count()': '2' },
      { 'bin(2s)': '2026-11-22 08:30:04.000', 'count()': '2' },
    ]);
  });

  test('can be sorted by an expression or its alias, filtered, and aggregated again', async () => {
    const ordered = [{ k: 'b' }, { k: 'a' }];
    expect(await rowsOf('filter ispresent(k) | stats count() by k | sort count() | display k', events)).toEqual(
      ordered,
    );
    expect(await rowsOf('filter ispresent(k) | stats count() as n by k | sort n | display k', events)).toEqual(ordered);
    expect(await rowsOf('stats count() as n by k | filter n > 1 | stats sum(n)', events)).toEqual([{ 'sum(n)': '5' }]);
  });

  test('has no row without events', async () => {
    expect(await rowsOf('stats count()', [])).toEqual([]);
  });

  test.each([
    [95, '95'],
    [50, '50'],
    [99.5, '100'],
    [0, '1'],
  ])('pct(x, %d) of 1 to 100 is %s', async (percent, expected) => {
    const hundred = eventsOf(...Array.from({ length: 100 }, (_, index) => ({ x: 100 - index })));
    expect(await rowsOf(`stats pct(x, ${percent}) as p`, hundred)).toEqual([{ p: expected }]);
  });
});

test('the statistics count the events that were read, and those that passed the filters', async () => {
  const { rows, statistics } = runQuery(
    parseQuery('filter x > 1 | stats count()'),
    stream(eventsOf({ x: 1 }, { x: 2 }, { x: 3 })),
  );
  await rows;
  expect(statistics).toEqual({ recordsMatched: 2, recordsScanned: 3, bytesScanned: 21 });
});

test('an event has its own pointer, a group has none', async () => {
  const rows = await runQuery(parseQuery('fields x'), stream(eventsOf({ x: 1 }, { x: 2 }))).rows;
  expect(new Set(rows.map((row) => row.at(-1)?.value)).size).toBe(2);
  expect(rows.every((row) => row.at(-1)?.field === '@ptr')).toBe(true);
  const [group] = await runQuery(parseQuery('stats count()'), stream(eventsOf({ x: 1 }))).rows;
  expect(group).toEqual([{ field: 'count()', value: '1' }]);
});

test('a stopped query stops reading', async () => {
  const controller = new AbortController();
  let read = 0;
  async function* endless() {
    for (const [event] = eventsOf({}); event; read++) {
      if (read === 10) controller.abort();
      yield event;
    }
  }
  const { rows } = runQuery(parseQuery('fields x'), endless(), { signal: controller.signal });
  await expect(rows).rejects.toMatchObject({ name: 'AbortError' });
  expect(read).toBe(10);
});
