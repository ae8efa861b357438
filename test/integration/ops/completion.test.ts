import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { savedQueries } from '../../../lib/observability/saved-queries';
import { savedQueryWords, shells } from '../../../ops/commands/completion/values';
import { operate } from './operators';

const directory = mkdtempSync(join(tmpdir(), 'completion-'));
const fileOf = (shell: string): string => join(directory, `completion.${shell}`);
beforeAll(async () => {
  for (const shell of shells) writeFileSync(fileOf(shell), (await operate(['completion', shell])).stdout);
});
afterAll(() => rmSync(directory, { recursive: true }));

/** Has bash complete the last of these words. */
const complete = (...words: readonly string[]): string[] => {
  const script = `
    source "$1"; shift
    COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
    eval "$(complete -p pipeline | sed 's/^complete -F \\(.*\\) pipeline$/\\1/')"
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  const output = execFileSync('bash', ['-c', script, 'bash', fileOf('bash'), 'pipeline', ...words], {
    encoding: 'utf8',
  });
  return output.split('\n').filter((word) => word !== '');
};

it.each([
  [['or'], ['orders']],
  [['orders', 're'], ['replay']],
  [
    ['--stage', ''],
    ['dev', 'staging', 'prod'],
  ],
  [
    ['--stage', 'prod', 'dlq', 'redrive', ''],
    ['download', 'processing'],
  ],
  [
    ['orders', 'replay', '--from', ''],
    ['qualia', 'raw'],
  ],
  [['orders', 'replay', '--rea'], ['--reason']],
  [['pause', 'pro'], ['processing']],
  [
    ['sync', 'start', '--wait', ''],
    ['netlife', 'iterable'],
  ],
  [['prove', '--wait', ''], []],
  [['logs', 'retr'], ['retries']],
  [['orders', 'get', ''], []],
])('bash completes %j with %j', (words, expected) => {
  expect(complete(...words)).toEqual(expected);
});

it('bash completes files', () => {
  expect(complete('orders', 'replay', '--ids', join(directory, 'completion.b'))).toEqual([fileOf('bash')]);
});

it.each(['bash', 'zsh'])('the script for %s can be parsed', (shell) => {
  execFileSync('bash', ['-n', fileOf(shell)], { stdio: 'pipe' });
});

it('the script for fish has the verbs, options and values', async () => {
  const { stdout } = await operate(['completion', 'fish']);
  const condition = (text: string) =>
    `complete -c pipeline -n '__pipeline_at '\\''${text.replace(/ (\d)$/, "'\\'' $1")}`;
  expect(stdout).toContain(`${condition(' orders 0')}' -a replay -d `);
  expect(stdout).toContain(`${condition(' dlq redrive 0')}' -a 'download processing'`);
  expect(stdout).toMatch(/-l stage -x -a 'dev staging prod' -d /);
  expect(stdout).toMatch(/-l ids -r -F -d /);
});

it('rejects another shell', async () => {
  expect(await operate(['completion', 'ksh'])).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('bash, zsh'),
  });
});

it('has a word for each saved query, and no other', () => {
  const found = savedQueryWords.map((word) => savedQueries.filter(({ name }) => name.toLowerCase().includes(word)));
  expect(found.filter((queries) => queries.length === 0)).toEqual([]);
  expect(new Set(found.flat())).toEqual(new Set(savedQueries));
});
