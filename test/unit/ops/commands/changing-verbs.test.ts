import { PassThrough } from 'node:stream';
import { listCommands } from '../../../../ops/commands/completion/commands';
import { exitCodes } from '../../../../ops/commands/exit-codes';
import { createProgram } from '../../../../ops/commands/program';
import { operate } from '../../../support/operate';
import { unconfigured } from '../../../support/unconfigured';

/** Verbs that change nothing. Every other one must take `--reason`, which also makes it record who did what. */
const readingVerbs = [
  ...['actions', 'completion', 'console', 'dlq list', 'explain', 'issues', 'issues get', 'logs', 'mapping diff'],
  ...['mapping try', 'orders get', 'orders list', 'orders trace', 'prove', 'status', 'sync get', 'sync list'],
  ...['sync watch', 'webhook refused list'],
];

const program = createProgram(
  {
    stdin: new PassThrough(),
    stdout: new PassThrough(),
    stderr: new PassThrough(),
    environment: {},
    localStateDirectory: '',
    temporaryDirectory: '',
    now: unconfigured('now'),
    interruptible: unconfigured('interruptible'),
  },
  unconfigured('finish'),
);
const groups = ['', 'dlq', 'mapping', 'orders', 'sync', 'webhook', 'webhook refused'];
const verbs = listCommands(program)
  .map(({ at, arguments: values, options }) => ({
    name: at.trim(),
    arguments: values.map(() => 'x'),
    options: options.flatMap(({ flags }) => flags),
  }))
  .filter(({ name }) => !groups.includes(name));
const changingVerbs = verbs.filter(({ options }) => options.includes('--reason'));

test('every verb that changes something takes --reason', () => {
  const names = verbs.filter((verb) => !changingVerbs.includes(verb)).map(({ name }) => name);
  expect(names.sort()).toEqual(readingVerbs.sort());
});

test.each(changingVerbs)('$name is refused on AWS without --reason', async ({ name, arguments: values, options }) => {
  // Two verbs change something only with this option: they then show personal data, which is recorded as well.
  const reveal = options.includes('--reveal') ? ['--reveal'] : [];
  const until = options.includes('--until') ? ['--until', '1d'] : [];
  const { exitCode, stderr } = await operate([...name.split(' '), ...values, ...reveal, ...until], { now: () => 0 });
  expect(exitCode).toBe(exitCodes.usage);
  expect(stderr).toContain('--reason is missing');
});
