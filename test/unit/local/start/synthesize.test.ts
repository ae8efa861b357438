import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { synthesizeOnce } from '../../../../local/start/synthesize';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'synthesize-'));
  mkdirSync(join(root, 'lib'));
  writeFileSync(join(root, 'lib/app.ts'), 'one');
});
afterEach(() => rmSync(root, { recursive: true }));

const synthesize = (write: (assemblyDirectory: string) => void = () => undefined): boolean => {
  const assemblyDirectory = join(root, 'cdk.out');
  let ran = false;
  synthesizeOnce({
    root,
    sources: ['lib'],
    assemblyDirectory,
    lockFile: join(root, 'cache/synthesize.lock'),
    run: () => {
      ran = true;
      mkdirSync(assemblyDirectory, { recursive: true });
      writeFileSync(join(assemblyDirectory, 'manifest.json'), '{}');
      write(assemblyDirectory);
    },
  });
  return ran;
};

test('the app is synthesized again when a source or the assembly has changed', () => {
  expect([synthesize(), synthesize()]).toEqual([true, false]);
  writeFileSync(join(root, 'lib/app.ts'), 'two');
  expect([synthesize(), synthesize()]).toEqual([true, false]);
  writeFileSync(join(root, 'cdk.out/prod-Data.template.json'), '{}');
  expect([synthesize(), synthesize()]).toEqual([true, false]);
});

test('after a failure the next call synthesizes again', () => {
  const fail = () => {
    throw new Error('cdk synth failed');
  };
  expect(() => synthesize(fail)).toThrow('cdk synth failed');
  expect([synthesize(), synthesize()]).toEqual([true, false]);
});

test('concurrent processes synthesize once, and all find a complete assembly', async () => {
  // Like the CDK CLI, fails while another process writes to the same folder.
  const program = `
    const { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } = require('node:fs');
    const { synthesizeOnce } = require(${JSON.stringify(join(__dirname, '../../../../local/start/synthesize.ts'))});
    const assemblyDirectory = 'cdk.out';
    synthesizeOnce({ root: '.', sources: ['lib'], assemblyDirectory, lockFile: 'cache/synthesize.lock', run: () => {
      mkdirSync(assemblyDirectory, { recursive: true });
      writeFileSync('cdk.out/synth.lock', '', { flag: 'wx' });
      appendFileSync('runs', 'run\\n');
      writeFileSync('cdk.out/manifest.json', '');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
      writeFileSync('cdk.out/manifest.json', 'whole');
      rmSync('cdk.out/synth.lock');
    } });
    process.stdout.write(readFileSync('cdk.out/manifest.json', 'utf8'));
  `;
  const start = async () => {
    const tsx = require.resolve('tsx');
    const child = spawn(process.execPath, ['--import', tsx, '--eval', program], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let printed = '';
    child.stdout.on('data', (text) => {
      printed += text;
    });
    const [code] = await once(child, 'close');
    return { code, printed };
  };
  const results = await Promise.all([start(), start(), start()]);
  expect(results).toEqual(Array(3).fill({ code: 0, printed: 'whole' }));
  expect(readFileSync(join(root, 'runs'), 'utf8')).toBe('run\n');
  expect(existsSync(join(root, 'cdk.out/synth.lock'))).toBe(false);
});
