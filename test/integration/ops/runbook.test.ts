import { readFileSync } from 'node:fs';
import { exitCodes } from '../../../ops/commands/exit-codes';
import { operate, startStage, type TestStage } from './operators';

/** Every command of the runbook, its placeholders filled in, as the shell would split it. */
const commands = [...readFileSync('docs/runbook.md', 'utf8').matchAll(/^npx pipeline .*$|(?<=`)npx pipeline [^`]*/gm)]
  .map(([command]) => command.replace('<order id>', 'QO-1').replace('<run>', 'nightly-1').replace('…', ''))
  .map((command) => [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, word]) => quoted ?? word ?? '').slice(2))
  // One of them only says how the others begin.
  .filter((args) => args.join(' ') !== '--stage prod');

const searches = commands.filter((args) => args.includes('logs'));

let stage: TestStage;
beforeAll(async () => {
  stage = await startStage();
});
afterAll(() => stage.stop());

test('there are commands to try', () => {
  expect(commands.length).toBeGreaterThan(20);
  expect(searches.length).toBeGreaterThan(10);
});

test.each(commands)('%s %s %s %s … is right usage', async (...args) => {
  expect((await operate([...args, '--local'])).exitCode).toBe(exitCodes.unreachable);
});

test.each(searches)('%s %s %s %s … can be answered', async (...args) => {
  const ofStage = args.filter((word) => word !== '--stage' && word !== 'prod');
  const { exitCode, stderr } = await stage.operate(ofStage);
  expect({ exitCode, stderr }).toEqual({ exitCode: exitCodes.done, stderr: '' });
});
