import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import fc from 'fast-check';
import { pipelineOptions } from '../../../../local/start/report';

test('the default folder needs no option', () => {
  expect(pipelineOptions(join(__dirname, '../../../../.local'))).toBe('--local');
});

test('another folder is quoted for the shell', () => {
  expect(pipelineOptions('/tmp/state-1')).toBe('--state /tmp/state-1');
  const folders = fc.array(fc.string({ unit: fc.constantFrom('a', ' ', "'", '"', '$HOME', '\\', '*', ';', '-') }), {
    minLength: 20,
    maxLength: 20,
  });
  fc.assert(
    fc.property(folders, (names) => {
      const paths = names.map((name) => `/tmp/${name}`);
      const options = paths.map((folder) => pipelineOptions(folder)).join(' ');
      const output = execFileSync('/bin/sh', ['-c', `printf '%s\\n' ${options}`], { encoding: 'utf8' });
      expect(output).toBe(paths.map((folder) => `--state\n${folder}\n`).join(''));
    }),
    { numRuns: 20 },
  );
});
