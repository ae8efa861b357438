import { readFileSync } from 'node:fs';
import { exitCodes } from '../../../ops/commands/exit-codes';
import { operate, startStage, type TestStage } from './operators';

/** All commands of the runbook with values for their placeholders, split as by a shell. */
const commands = [...readFileSync('docs/runbook.md', 'utf8').matchAll(/^npx pipeline .*$|(?<=`)npx pipeline [^`]*/gm)]
  .map(([command]) => command.replace('<order id>', 'QO-1').replace('<run>', 'nightly-1').replace('…', ''))
  .map((command) => [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, word]) => quoted ?? word ?? '').slice(2))
  // One of them only shows how the others begin.
  .filter((args) => args.join(' ') !== '--stage prod');

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

test.each(commands)('%s %s %s %s … is valid usage', async (...args) => {
  expect((await operate([...args, '--local'])).exitCode).toBe(exitCodes.unreachable);
});

test.each(searches)('%s %s %s %s … is a valid search', async (...args) => {
  const ofStage = args.filter((word) => word !== '--stage' && word !== 'prod');
  const { exitCode, stderr } = await stage.operate(ofStage);
  expect({ exitCode, stderr }).toEqual({ exitCode: exitCodes.done, stderr: '' });
});
