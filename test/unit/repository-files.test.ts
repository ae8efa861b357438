import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import * as z from 'zod';
import manifest from '../../package.json';

const root = join(__dirname, '../..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');

const stepSchema = z.union([
  z.strictObject({ uses: z.string(), with: z.record(z.string(), z.unknown()) }),
  z.strictObject({ run: z.string() }),
]);
const permissionsSchema = z.record(z.string(), z.enum(['read', 'write']));
const jobSchema = z.looseObject({
  uses: z.string().optional(),
  needs: z.string().optional(),
  container: z.string().optional(),
  environment: z.string().optional(),
  permissions: permissionsSchema.optional(),
  steps: z.array(stepSchema).default([]),
});
const workflowSchema = z.looseObject({
  name: z.string(),
  on: z.record(z.string(), z.unknown()),
  permissions: permissionsSchema,
  jobs: z.record(z.string(), jobSchema),
});

const names = globSync('.github/workflows/*', { cwd: root }).sort();
const workflows = names.map((name) => ({ name, workflow: workflowSchema.parse(parse(read(name))) }));
const jobs = workflows.flatMap(({ name, workflow }) =>
  Object.entries(workflow.jobs).map(([job, rest]) => ({ name, job, ...rest })),
);

/** The part of a command that does not exist: a script of package.json, a file, or a command of a package. */
const missing = (command: string): string | undefined => {
  const [program = '', first = '', second = ''] = command.split(' ');
  if (program.startsWith('.')) return existsSync(join(root, program)) ? undefined : program;
  if (program === 'npx') return existsSync(join(root, 'node_modules/.bin', first)) ? undefined : first;
  if (command === 'npm ci') return undefined;
  return program === 'npm' && first === 'run' && second in manifest.scripts ? undefined : command;
};

describe('the workflows', () => {
  test('are the checks and the deployment', () => {
    expect(names).toEqual(['.github/workflows/ci.yml', '.github/workflows/deploy.yml']);
  });

  test('run only commands that exist', () => {
    const commands = jobs.flatMap(({ steps }) => steps.flatMap((step) => ('run' in step ? [step.run] : [])));
    expect(commands.length).toBeGreaterThan(5);
    expect(commands.flatMap((command) => missing(command) ?? [])).toEqual([]);
    expect(['npm run nothing', 'npx nothing', '.ci/nothing'].map(missing)).toEqual([
      'npm run nothing',
      'nothing',
      '.ci/nothing',
    ]);
  });

  test('the checks of a pull request are .ci/run, without write permissions and credentials', () => {
    const ci = jobs.filter(({ name }) => name.endsWith('ci.yml'));
    expect(ci.map(({ steps }) => steps.filter((step) => 'run' in step))).toEqual([[{ run: '.ci/run' }]]);
    expect(ci.map(({ permissions, environment }) => [permissions, environment])).toEqual([[undefined, undefined]]);
    for (const { workflow } of workflows) expect(workflow.permissions).toEqual({ contents: 'read' });
  });

  test('a deployment runs the checks, staging and the end-to-end suite before prod', () => {
    const deploy = jobs.filter(({ name }) => name.endsWith('deploy.yml'));
    expect(deploy.map(({ job, needs, environment }) => [job, needs, environment])).toEqual([
      ['ci', undefined, undefined],
      ['staging', 'ci', 'staging'],
      ['prod', 'staging', 'prod'],
    ]);
    const runs = deploy.map(({ steps }) => steps.flatMap((step) => ('run' in step ? [step.run] : [])));
    expect(runs[1]?.slice(-2)).toEqual([
      'npm run deploy -- --stage staging --approved',
      'npm run test:aws -- --stage staging',
    ]);
    expect(runs[2]?.at(-1)).toBe('npm run deploy -- --stage prod --approved');
  });

  test('only jobs that deploy have credentials, from the role of their environment', () => {
    for (const { environment, permissions, steps } of jobs) {
      expect(permissions?.['id-token']).toBe(environment && 'write');
      const roles = steps.flatMap((step) => ('uses' in step ? (step.with['role-to-assume'] ?? []) : []));
      expect(roles).toEqual(environment ? [expect.stringMatching(/^\$\{\{ vars\.AWS_ROLE_ARN \}\}$/)] : []);
    }
    for (const name of names) expect(read(name)).not.toMatch(/secrets\.|AWS_(ACCESS|SECRET)/i);
  });

  test('actions are pinned to a commit, with the version in a comment', () => {
    const used = names.flatMap((name) => [...read(name).matchAll(/uses: (.*)/g)].map(([, action = '']) => action));
    const pinned = /^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/;
    expect(used.filter((action) => !pinned.test(action))).toEqual(['./.github/workflows/ci.yml']);
  });
});

test('the same Node runs everywhere: .node-version, the image of the checks, and the packages', () => {
  const node = read('.node-version').trim();
  expect(new Set(Object.values(manifest.optionalDependencies))).toEqual(new Set([node]));
  expect(jobs.flatMap(({ container }) => container ?? [])).toEqual([`node:${node}-bookworm`]);
});

test('dependency updates come weekly, in groups, for packages and actions', () => {
  const schema = z.looseObject({
    updates: z.array(
      z.looseObject({
        'package-ecosystem': z.string(),
        schedule: z.looseObject({ interval: z.literal('weekly') }),
        groups: z.record(z.string(), z.unknown()),
      }),
    ),
  });
  const { updates } = schema.parse(parse(read('.github/dependabot.yml')));
  expect(updates.map((update) => update['package-ecosystem'])).toEqual(['npm', 'github-actions']);
});

test('the licence matches package.json: all rights reserved', () => {
  expect(manifest.license).toBe('UNLICENSED');
  expect(read('LICENSE')).toMatch(/All rights reserved\..*UNLICENSED/s);
});

test('CODEOWNERS contains only paths that exist', () => {
  const paths = [...read('.github/CODEOWNERS').matchAll(/^\/(\S+)/gm)].map(([, path = '']) => path);
  expect(paths.length).toBeGreaterThan(0);
  expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([]);
});
