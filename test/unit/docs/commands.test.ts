import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { exitCodes } from '../../../ops/commands/exit-codes';
import { run } from '../../../ops/commands/program';
import { scripts } from '../../../package.json';

const root = join(__dirname, '../../..');
const pages = globSync(['*.md', 'docs/*.md', 'docs/adr/*.md'], { cwd: root });
const text = pages.map((page) => readFileSync(join(root, page), 'utf8')).join('\n');

const values: Readonly<Record<string, string>> = {
  '<stage>': 'dev',
  $stage: 'dev',
  '<run>': 'nightly-1',
  '<when>': '1h',
  '"$order"': 'QO-1',
  '<file>': join(root, 'package.json'),
  '<queue>': 'download',
  '<body>': '0123456789abcdef0123456789abcdef',
  '<issue>': '0123abcd',
  '<message>': '00000000-0000-4000-8000-000000000000',
};

/** Commands that sentences mention without their arguments, and that are therefore incomplete. */
const names = ['', 'sync', 'mapping try', 'orders replay', 'orders replay --from raw', 'pause', 'resume', 'rehearse'];

/** The arguments of every `pipeline` command in the documents, with values for placeholders. */
const commands = [...text.matchAll(/(?<=`)(?:npx )?pipeline ([^`]*)(?=`)|^npx pipeline (.*)$/gm)]
  .map(([, inline = '', block = inline]) => block)
  .map((command) => command.replaceAll(/<[^>]+>|"?\$\w+"?/g, (name) => values[name] ?? 'QO-1'))
  .map((command) => command.replaceAll(/…|\\(?=\|)/g, '').trim())
  .filter((command) => !names.includes(command.replace(/^--stage \w+ ?/, '')))
  // Split as by a shell.
  .map((command) => [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, word]) => quoted ?? word ?? ''));

const unique = [...new Map(commands.map((args) => [args.join(' '), args]))];

const exitCodeOf = (args: readonly string[]): Promise<number> => {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const nowhere = { localStateDirectory: join(root, 'nowhere'), temporaryDirectory: join(root, 'nowhere') };
  return run([...args, '--local'], {
    stdin,
    stdout,
    stderr,
    environment: {},
    now: Date.now,
    ...nowhere,
    interruptible: (work) => work(new AbortController().signal),
  });
};

test('there are commands in the documents', () => {
  expect(unique.length).toBeGreaterThan(60);
});

test.each(unique)('pipeline %s is valid usage', async (_, args) => {
  expect(await exitCodeOf(args)).not.toBe(exitCodes.usage);
});

test('every script in the documents is in package.json', () => {
  const named = [...text.matchAll(/npm run ([\w:]+)/g)].map(([, name = '']) => name);
  expect(named.length).toBeGreaterThan(40);
  expect(named.filter((name) => !(name in scripts))).toEqual([]);
});

test('an invalid command is detected', async () => {
  expect(await exitCodeOf(['orders', 'list', '--nonsense'])).toBe(exitCodes.usage);
});
