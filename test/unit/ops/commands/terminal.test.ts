import { PassThrough } from 'node:stream';
import {
  createTerminal,
  formatAge,
  formatDuration,
  oneLine,
  plural,
  renderTable,
  wrapText,
} from '../../../../ops/commands/terminal';

test('a table is aligned and has no lines or trailing blanks', () => {
  expect(
    renderTable(
      [
        ['QO-1', '', 'short'],
        ['QO-123456', 'FAILED', ''],
      ],
      ['ORDER', 'NOW', 'ERROR'],
    ),
  ).toBe(
    [
      'ORDER      NOW     ERROR', //
      'QO-1               short',
      'QO-123456  FAILED',
    ].join('\n'),
  );
});

test.each([
  [-5, '0s ago'],
  [59_999, '59s ago'],
  [60_000, '1m ago'],
  [3 * 3_600_000 + 1, '3h ago'],
  [50 * 3_600_000, '2d ago'],
])('an age of %d ms is %s', (ageMs, expected) => {
  expect(formatAge(ageMs)).toBe(expected);
});

test.each([
  [-1, '0s'],
  [59.4, '59s'],
  [59.6, '1m 00s'],
  [200, '3m 20s'],
  [3_725, '1h 02m'],
  [100 * 3_600, '100h 00m'],
])('a duration of %d s is %s', (seconds, expected) => {
  expect(formatDuration(seconds)).toBe(expected);
});

test('untrusted text cannot control the terminal', () => {
  expect(oneLine('bad\u001b[31m\r\nnews\u202e\u0007')).toBe('bad [31m news');
});

test.each([
  [0, '0 orders'],
  [1, '1 order'],
  [2, '2 orders'],
  [10_000, '10,000 orders'],
])('a count of %d', (count, expected) => {
  expect(plural(count, 'order')).toBe(expected);
});

describe('a terminal', () => {
  interface Opened {
    readonly isTTY?: boolean;
    readonly json?: boolean;
    readonly environment?: Record<string, string>;
    readonly rows?: number;
  }
  const open = ({ isTTY = false, json = false, environment = {}, rows = 24 }: Opened = {}) => {
    const stream = () => Object.assign(new PassThrough({ encoding: 'utf8' }), { isTTY, rows, columns: 80 });
    const [stdin, stdout, stderr] = [new PassThrough(), stream(), stream()];
    const interruptible = () => Promise.reject(new Error('unexpected'));
    const now = () => Date.UTC(2026, 0, 2);
    const surroundings = {
      stdin,
      stdout,
      stderr,
      environment,
      localStateDirectory: '',
      temporaryDirectory: '',
      now,
      interruptible,
    };
    const terminal = createTerminal(surroundings, json);
    return { terminal, stdin, read: () => ({ stdout: stdout.read(), stderr: stderr.read() }) };
  };

  test.each([
    ['a terminal', true, { isTTY: true }],
    ['a terminal with NO_COLOR', false, { isTTY: true, environment: { NO_COLOR: '1' } }],
    ['a terminal with an empty NO_COLOR', true, { isTTY: true, environment: { NO_COLOR: '' } }],
    ['a dumb terminal', false, { isTTY: true, environment: { TERM: 'dumb' } }],
    ['a pipe', false, {}],
  ])('%s gets colors: %s', (_case, expected, options) => {
    const { terminal } = open(options);
    expect(terminal.time('2026-01-01').includes('\u001b[')).toBe(expected);
  });

  test('times are ISO and relative', () => {
    expect(open().terminal.time('2026-01-01T21:00:00.000Z')).toBe('2026-01-01T21:00:00.000Z (3h ago)');
  });

  test('with --json, one document is on stdout and all messages are on stderr', () => {
    const { terminal, read } = open({ json: true });
    terminal.note('a note');
    terminal.report('a line');
    terminal.result({ a: 1 }, () => 'text');
    const { stdout, stderr } = read();
    expect(JSON.parse(stdout)).toEqual({ a: 1 });
    expect(stderr).toBe('a note\na line\n');
  });

  test('without --json, results are text on stdout', () => {
    const { terminal, read } = open();
    terminal.note('a note');
    terminal.report('a line');
    terminal.result({ a: 1 }, () => 'text');
    expect(read()).toEqual({ stdout: 'a line\ntext\n', stderr: 'a note\n' });
  });

  test.each([
    ['y\n', true],
    ['YES\n', true],
    ['n\n', false],
    ['\n', false],
    ['yellow\n', false],
    ['', false],
  ])('the answer %j confirms a question: %s', async (answer, expected) => {
    const { terminal, stdin } = open();
    const confirmed = terminal.confirm('Really?');
    stdin.end(answer);
    expect(await confirmed).toBe(expected);
  });

  test.each([
    ['y\ny\n', true, 2],
    ['y\nn\n', false, 2],
    ['y\n', false, 2],
    ['n\ny\n', false, 1],
    ['', false, 1],
  ])('the answers %j confirm two questions: %s, after %i questions', async (answer, expected, asked) => {
    const { terminal, stdin, read } = open();
    const confirmed = terminal.confirm('Really?', 'Really, really?');
    stdin.end(answer);
    expect(await confirmed).toBe(expected);
    expect(read().stderr?.match(/really\? \[y\/N\]/gi)).toHaveLength(asked);
  });

  test('a second question can be answered later', async () => {
    const { terminal, stdin } = open();
    const confirmed = terminal.confirm('Really?', 'Really, really?');
    for (const line of ['y\n', 'y\n']) {
      stdin.write(line);
      await new Promise(setImmediate);
    }
    expect(await confirmed).toBe(true);
  });

  describe('live lines', () => {
    afterEach(() => jest.useRealTimers());

    it('are redrawn in place', () => {
      const { terminal, read } = open({ isTTY: true, rows: 3 });
      const live = terminal.live();
      expect(live.columns()).toBe(79);
      live.show(['a 1']);
      live.show(['a 2', 'b 1', 'c: there is no room for it']);
      live.show(['a 3']);
      live.end();
      expect(read().stderr).toBe('\u001b[0Ja 1\n\u001b[1A\u001b[0Ja 2\nb 1\n\u001b[2A\u001b[0Ja 3\n');
    });

    it.each([
      ['a pipe', {}],
      ['a dumb terminal', { isTTY: true, environment: { TERM: 'dumb' } }],
    ])('is printed every few seconds to %s, if it changed', (_case, options) => {
      jest.useFakeTimers({ now: 0 });
      const { terminal, read } = open(options);
      const live = terminal.live();
      expect(live.columns()).toBeUndefined();
      const printedAfter = (...lines: string[]): string | null => {
        live.show(lines);
        jest.advanceTimersByTime(2_500);
        return read().stderr;
      };
      expect(printedAfter('a 1', 'b 1')).toBe('a 1\nb 1\n');
      expect(printedAfter('a 2', 'b 1')).toBeNull();
      expect(printedAfter('a 3', 'b 1')).toBe('a 3\n');
      expect(printedAfter('a 4', 'b 2')).toBeNull();
      live.end();
      expect(read().stderr).toBe('a 4\nb 2\n');
    });
  });
});

test.each([
  ['one two three', 7, ['one two', 'three']],
  ['a word-that-is-longer b', 4, ['a', 'word-that-is-longer', 'b']],
  ['two\nlines', 20, ['two lines']],
])('%j in %i columns', (text, width, lines) => {
  expect(wrapText(text, width)).toEqual(lines);
});

describe('renderTable', () => {
  const long = 'The internal API refused the order because its price is not a number of cents';

  it('wraps the last column at 80 columns, and breaks no word', () => {
    const uri = `s3://${'x'.repeat(90)}`;
    const lines = renderTable([
      ['QO-123456', 'RETRIES_EXHAUSTED', long],
      ['QO-123457', 'RETRIES_EXHAUSTED', uri],
    ]).split('\n');
    expect(lines.filter((line) => line.length > 80)).toEqual([expect.stringContaining(uri)]);
    expect(
      lines
        .slice(0, 2)
        .map((line) => line.slice(30))
        .join(' '),
    ).toBe(long);
  });

  it.each([1, 2, 3, 5, 8])('fits 80 columns, for cells of any width: %i columns', (columns) => {
    const head = Array.from({ length: columns }, (_, column) => `COLUMN ${column}`);
    const cell = (width: number) => 'word '.repeat(width / 5).trim();
    for (let width = 0; width <= 200; width += 5) {
      const rows = [head.map(() => cell(width)), head.map((_, column) => cell(column * width))];
      const lines = renderTable(rows, head).split('\n');
      expect(lines.filter((line) => line.length > 80)).toEqual([]);
      // Nothing is lost.
      expect(lines.join(' ').match(/word/g) ?? []).toHaveLength(rows.flat().join(' ').match(/word/g)?.length ?? 0);
    }
  });

  it('shows rows that are too wide as blocks', () => {
    const head = ['ORDER', 'WAITS FOR', 'ERROR'];
    const rows = [
      ['QO-1', 'download', ''],
      ['x'.repeat(70), 'processing', long],
    ];
    expect(renderTable(rows, head).split('\n')).toEqual([
      'ORDER      QO-1',
      'WAITS FOR  download',
      '',
      `ORDER      ${'x'.repeat(70)}`,
      'WAITS FOR  processing',
      'ERROR      The internal API refused the order because its price is not a number',
      '           of cents',
    ]);
  });

  it('leaves a last column that would be too narrow', () => {
    expect(renderTable([['x'.repeat(70), long]]).split('\n')).toHaveLength(1);
  });
});
