import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { type Config, loadConfig, type Stage } from '../../lib/config';
import { deployArguments } from '../../lib/deployment';

const configured = (stage: Stage): Config => ({
  ...loadConfig(stage, { version: '1.0.0', commitSha: 'unknown' }),
  internalApiUrl: 'https://orders.our-company.com/orders',
});

test('all stacks of one stage are deployed, and every change needs approval', () => {
  const args = deployArguments(configured('staging'), { changes: ' M lib/config.ts\n', approved: false }).join(' ');
  expect(args).toContain('deploy --all');
  expect(args).toContain('--require-approval any-change');
  expect(args).toContain('--context stage=staging');
});

test('what is paused stays paused', () => {
  const args = (paused: Config['paused']) =>
    deployArguments({ ...configured('staging'), paused }, { changes: '', approved: true }).join(' ');
  expect(args(['download', 'sync'])).toContain('--context stage=staging --context paused=download,sync');
  expect(args([])).not.toContain('paused');
});

test('changes that were approved elsewhere are deployed without another approval', () => {
  const args = deployArguments(configured('staging'), { changes: '', approved: true }).join(' ');
  expect(args).toContain('--require-approval never');
});

test.each(['dev', 'staging', 'prod'] as const)(
  '%s is not deployed while the URL of the internal API is a placeholder',
  (stage) => {
    const config = loadConfig(stage, { version: '1.0.0', commitSha: 'unknown' });
    expect(() => deployArguments(config, { changes: '', approved: true })).toThrow(
      `The internalApiUrl of ${stage} in lib/config.ts is still the placeholder https://`,
    );
  },
);

test('prod is deployed only from a commit', () => {
  expect(() => deployArguments(configured('prod'), { changes: '?? notes.txt\n', approved: true })).toThrow(
    'has uncommitted changes',
  );
  expect(deployArguments(configured('prod'), { changes: '', approved: true })).toContain('stage=prod');
});

test.each([
  [['--stage', 'qa'], "argument 'qa' is invalid. Allowed choices are dev, staging, prod."],
  [[], "required option '--stage <stage>' not specified"],
])('npm run deploy -- %j reports the wrong option', (options, message) => {
  const program = join(__dirname, '../../bin/deploy.ts');
  const { status, stderr } = spawnSync(process.execPath, ['--import', 'tsx', program, ...options], {
    encoding: 'utf8',
  });
  expect(stderr.trim().split('\n')).toEqual([expect.stringContaining(message)]);
  expect(status).toBe(1);
});
