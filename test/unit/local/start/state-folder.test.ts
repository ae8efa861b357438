import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StateError } from '../../../../emulator/state-files';
import { openStateFolder } from '../../../../local/start/state-folder';

let parent: string;
let folder: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'state-folder-'));
  folder = join(parent, 'state');
});
afterEach(() => rmSync(parent, { recursive: true }));

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);

test('only the owner has access to a new folder', () => {
  const { release } = openStateFolder(folder, false);
  expect(modeOf(folder)).toBe('700');
  expect(modeOf(join(folder, 'lock'))).toBe('600');
  release();
});

test('wider permissions in an existing folder are removed, and nothing outside of it changes', () => {
  mkdirSync(join(folder, 'tables'), { recursive: true });
  writeFileSync(join(folder, 'secrets.json'), '{}');
  writeFileSync(join(folder, 'tables', '000005.log'), '');
  writeFileSync(join(parent, 'outside'), '');
  symlinkSync(join(parent, 'outside'), join(folder, 'link'));
  for (const name of ['state', 'state/tables']) chmodSync(join(parent, name), 0o755);
  for (const name of ['state/secrets.json', 'state/tables/000005.log', 'outside']) chmodSync(join(parent, name), 0o644);
  const { release } = openStateFolder(folder, false);
  expect(['', 'tables', 'secrets.json', 'tables/000005.log'].map((name) => modeOf(join(folder, name)))).toEqual([
    '700',
    '700',
    '600',
    '600',
  ]);
  expect(modeOf(join(parent, 'outside'))).toBe('644');
  release();
});

test.each([false, true])('a second start is refused and writes nothing, --fresh: %s', (fresh) => {
  const first = openStateFolder(folder, false);
  writeFileSync(join(folder, 'endpoints.json'), '{"pid":4711}');
  writeFileSync(join(folder, 'secrets.json'), '{}', { mode: 0o644 });
  const before = readdirSync(folder).map((name) => [
    name,
    statSync(join(folder, name)).mtimeMs,
    modeOf(join(folder, name)),
  ]);
  expect(() => openStateFolder(folder, fresh)).toThrow(
    new StateError(
      `Another npm start (process 4711) uses ${folder}: stop it first, or name another folder with --state.`,
    ),
  );
  expect(
    readdirSync(folder).map((name) => [name, statSync(join(folder, name)).mtimeMs, modeOf(join(folder, name))]),
  ).toEqual(before);
  first.release();
  openStateFolder(folder, false).release();
});

test('--fresh deletes what earlier starts left', () => {
  openStateFolder(folder, false).release();
  mkdirSync(join(folder, 'tables'));
  writeFileSync(join(folder, 'tables', 'CURRENT'), '');
  const { release } = openStateFolder(folder, true);
  expect(readdirSync(folder)).toEqual(['lock']);
  release();
});

test('a folder with other files is refused and not changed', () => {
  mkdirSync(folder, { mode: 0o755 });
  writeFileSync(join(folder, 'thesis.txt'), 'x', { mode: 0o644 });
  for (const fresh of [false, true]) {
    expect(() => openStateFolder(folder, fresh)).toThrow(/contains files that are not from a start/);
  }
  expect([existsSync(join(folder, 'thesis.txt')), modeOf(folder), modeOf(join(folder, 'thesis.txt'))]).toEqual([
    true,
    '755',
    '644',
  ]);
  expect(() => openStateFolder(join(folder, 'thesis.txt'), false)).toThrow(/is not a folder/);
});

test('an empty folder is accepted', () => {
  mkdirSync(folder);
  writeFileSync(join(folder, '.gitkeep'), '');
  openStateFolder(folder, false).release();
});
