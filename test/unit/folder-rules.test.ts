import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import manifest from '../../package.json';

const root = join(__dirname, '../..');

const patternSchema = z.object({ path: z.string().optional(), pathNot: z.string().optional() });
const configurationSchema = z.object({
  forbidden: z.array(z.object({ name: z.string(), from: patternSchema, to: patternSchema })),
});
const { forbidden } = configurationSchema.parse(require('../../.dependency-cruiser.cjs'));

/** Every top-level folder with source code that is neither hidden nor ignored by git. */
const folders = (() => {
  const ignored = readFileSync(join(root, '.gitignore'), 'utf8').split('\n');
  const sources = globSync('*/**/*.{ts,cjs,mjs}', { cwd: root, exclude: (name) => ignored.includes(`${name}/`) });
  return [...new Set(sources.map((source) => source.replace(/[\\/].*$/, '')))].sort();
})();

const matches = ({ path = '', pathNot }: z.output<typeof patternSchema>, file: string): boolean =>
  new RegExp(path).test(file) && !(pathNot !== undefined && new RegExp(pathNot).test(file));

/** Rules about folders that reject an import. */
const rejecting = (from: string, to: string): string[] =>
  forbidden
    .filter(({ name }) => /^(imports-of-|every-folder)/.test(name))
    .filter((rule) => matches(rule.from, `${from}/file.ts`) && matches(rule.to, `${to}/file.ts`))
    .map(({ name }) => name);

test.each(folders)('%s has a rule about its imports', (folder) => {
  const own = forbidden.filter(({ name }) => name === `imports-of-${folder}`);
  expect(own).toHaveLength(1);
  expect(rejecting(folder, folder)).toEqual([]);
  expect(rejecting(folder, 'new-folder')).toEqual([`imports-of-${folder}`]);
});

test('a folder without a rule must not import anything', () => {
  expect(rejecting('new-folder', 'shared')).toEqual(['every-folder-has-a-rule']);
  expect(folders).toEqual(['bench', 'bin', 'emulator', 'lambdas', 'lib', 'local', 'ops', 'samples', 'shared', 'test']);
});

test.each([
  ['lambdas', 'lib'],
  ['lib', 'lambdas'],
  ['shared', 'lambdas'],
  ['ops', 'lambdas'],
  ['emulator', 'shared'],
  ['local', 'shared'],
  ['bin', 'emulator'],
  ['bench', 'test'],
])('%s must not import %s', (from, to) => {
  expect(rejecting(from, to)).toEqual([`imports-of-${from}`]);
});

test('every folder is checked: by dependency-cruiser, the compiler and knip', () => {
  const { include } = z.object({ include: z.array(z.string()) }).parse(require('../../tsconfig.json'));
  const { project } = z.object({ project: z.array(z.string()) }).parse(require('../../knip.json'));
  const cruised = manifest.scripts['check:borders']
    .replace(/ --config.*/, '')
    .split(' ')
    .slice(1);
  const known = project.flatMap((pattern) => /^\{([^}]*)\}/.exec(pattern)?.[1]?.split(',') ?? []);
  for (const checked of [cruised, include, known]) expect([...checked].sort()).toEqual(folders);
});
