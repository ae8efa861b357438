import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { type EmbeddedTarget, startEmbeddedTarget } from '../../e2e/support/embedded-target';
import { announceTarget } from '../../e2e/support/target';
import { allows, type Call, readCalls } from '../../support/calls';
import { type Grant, readRoles } from '../../support/roles';
import { unusedBy, unusedByMachine } from './unused';

const root = join(__dirname, '../../..');
const lambdas = [
  ...['webhook', 'download', 'processing', 'reconciler', 'issue-watch'],
  ...['plan-run', 'netlife-collect', 'netlife-merge', 'iterable-extract', 'iterable-push', 'iterable-report'],
  'finish-run',
].map((name) => `dev-marketplace-${name}`);

let embedded: EmbeddedTarget;
let calls: readonly Call[];
let roles: ReturnType<typeof readRoles>;

beforeAll(async () => {
  embedded = await startEmbeddedTarget();
  announceTarget(embedded.target);
  const read = () => readCalls(join(embedded.stateDirectory, 'calls.ndjson'));
  // Imported here, because the module reads the target when it is loaded.
  const { drive } = await import('./drive');
  await drive((expected) => read().some((call) => isDeepStrictEqual(call, expected)));
  calls = read();
  roles = readRoles(join(root, 'cdk.out'));
  // Synthesizes first if the sources have changed.
}, 600_000);
afterAll(() => embedded?.stop());

const lineOf = ({ action, resource }: Grant): string => `${action} ${resource}`;
const linesOf = (grants: readonly Grant[]): string[] => grants.map(lineOf).sort();
const isBy = (name: string) => (call: Call) => call.functionName === name;

test('every Lambda of the templates has made calls', () => {
  expect([...roles.functions.keys()].sort()).toEqual([...lambdas].sort());
  expect(new Set(calls.map(({ functionName }) => functionName))).toEqual(new Set(lambdas));
});

describe.each(lambdas)('%s', (name) => {
  const granted = () => roles.functions.get(name) ?? [];
  const made = () => calls.filter(isBy(name));

  test('makes no call that its role does not allow', () => {
    expect(linesOf(made().filter((call) => !granted().some((grant) => allows(grant, call))))).toEqual([]);
  });

  test('has no unused permissions, except for those that decision 7 lists', () => {
    const unused = granted().filter((grant) => !made().some((call) => allows(grant, call)));
    expect(linesOf(unused)).toEqual(linesOf(unusedBy(name, roles.outputs)));
  });
});

test('the state machine may only invoke the Lambdas of its definition', () => {
  const [machine, ...others] = roles.machines;
  expect(others).toEqual([]);
  const invoked = new Set(machine?.definition.match(/arn:aws:lambda:[\w:-]+/g));
  expect(invoked.size).toBe(7);
  const invocations = [...invoked].flatMap((arn) =>
    [arn, `${arn}:*`].map((resource) => ({ action: 'lambda:InvokeFunction', resource })),
  );
  expect(linesOf(machine?.grants ?? [])).toEqual(linesOf([...invocations, ...unusedByMachine]));
});

test('a rule may only start its target, and there are no further roles', () => {
  for (const { target, grants } of roles.rules) {
    expect(grants).toEqual([{ action: 'states:StartExecution', resource: target }]);
  }
  // One more ends pauses: test/infra/observability.test.ts has its rights.
  expect(roles.roleCount).toBe(lambdas.length + roles.machines.length + roles.rules.length + 1);
});

test('decision 7 lists every action that is allowed and never used', () => {
  const decision = readFileSync(join(root, 'docs/adr/0007-what-roles-allow-beyond-what-is-called.md'), 'utf8');
  const listed = [...lambdas.flatMap((name) => unusedBy(name, roles.outputs)), ...unusedByMachine];
  expect(listed.map(({ action }) => action).filter((action) => !decision.includes(`\`${action}\``))).toEqual([]);
});
