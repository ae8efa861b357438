import { exitCodes } from '../../../ops/commands/exit-codes';
import { argumentsOf, readRunbookCommands } from '../../support/runbook';
import { operate, startStage, type TestStage } from './operators';

const placeholders = {
  'order id': 'QO-1',
  'customer id': '812',
  issue: '0123abcd',
  run: 'nightly-1',
  body: '0123456789abcdef0123456789abcdef',
  message: '00000000-0000-4000-8000-000000000000',
};

/** All commands of the runbook, with values for their placeholders, split into arguments. */
const commands = readRunbookCommands()
  .map((command) => argumentsOf(command, placeholders))
  // This command only shows how the others start.
  .filter((args) => args.join(' ') !== '--stage prod');

/** Verbs that change something, which need a reason on AWS. */
const changing =
  /\b(orders replay|issues (ack|resolve|replay)|dlq (redrive|stop|drop)|webhooks? (send|refused accept)|sync (start|stop|redrive)|pause|resume|reconcile)\b/;

const searches = commands.filter((args) => args.includes('logs'));

let stage: TestStage;
beforeAll(async () => {
  stage = await startStage();
});
afterAll(() => stage.stop());

test('the runbook has commands', () => {
  expect(commands.length).toBeGreaterThan(20);
  expect(searches.length).toBeGreaterThan(10);
});

test('commands that change something have a reason', () => {
  const changes = commands.filter((args) => changing.test(args.join(' ')));
  expect(changes.length).toBeGreaterThan(5);
  for (const args of changes) expect(args).toContain('--reason');
});

test.each(commands)('%s %s %s %s … is valid usage', async (...args) => {
  expect((await operate([...args, '--local'])).exitCode).toBe(exitCodes.unreachable);
});

test.each(searches)('%s %s %s %s … is a valid search', async (...args) => {
  const ofStage = args.filter((word) => word !== '--stage' && word !== 'prod');
  const { exitCode, stderr } = await stage.operate(ofStage);
  expect({ exitCode, stderr }).toEqual({ exitCode: exitCodes.done, stderr: '' });
});
