import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

const root = join(__dirname, '../../..');
const withoutCode = (markdown: string): string => markdown.replaceAll(/^```.*?^```/gms, '');

/** The anchors of a page's headings, as GitHub makes them. */
const anchorsOf = (file: string): string[] =>
  [...withoutCode(readFileSync(file, 'utf8')).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );

const isBroken = (page: string, link: string): boolean => {
  const [file = '', anchor] = link.split('#');
  const target = file === '' ? page : resolve(dirname(page), file);
  return !existsSync(target) || (anchor !== undefined && !anchorsOf(target).includes(anchor));
};

const pages = globSync(['*.md', 'docs/**/*.md'], { cwd: root });
const folders = [
  '.ci',
  '.github',
  'bench',
  'bin',
  'docs',
  'emulator',
  'lambdas',
  'lib',
  'local',
  'ops',
  'shared',
  'test',
];

test.each(pages)('every link of %s has a target', (name) => {
  const page = join(root, name);
  const links = [...withoutCode(readFileSync(page, 'utf8')).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
  expect(links.filter((link) => !/^[a-z]+:/.test(link) && isBroken(page, link))).toEqual([]);
});

/** Paths in backticks that name one file or folder: no placeholder, no pattern. */
const pathsOn = (page: string): string[] =>
  [...withoutCode(readFileSync(join(root, page), 'utf8')).matchAll(/`([\w.-]+\/[\w./-]*)`/g)]
    .map(([, path = '']) => path)
    .filter((path) => folders.includes(path.split('/')[0] ?? ''));

test.each(pages.filter((page) => !page.startsWith('docs/contracts/')))('every path that %s names exists', (page) => {
  expect(pathsOn(page).filter((path) => !existsSync(join(root, path)))).toEqual([]);
});

test('the recipes of CONTRIBUTING.md name files', () => {
  expect(pathsOn('CONTRIBUTING.md').length).toBeGreaterThan(80);
});

test('every contract that the code cites is in docs/contracts', () => {
  const sources = globSync('{bin,lib,lambdas,shared,ops,emulator,local,bench,test}/**/*.ts', { cwd: root });
  const cited = sources.flatMap((source) =>
    [...readFileSync(join(root, source), 'utf8').matchAll(/[\w/-]*contracts?[/:] ?[\w-]+\.md/g)].map(([path]) => path),
  );
  expect(cited.length).toBeGreaterThan(20);
  expect([...new Set(cited)].filter((path) => !path.startsWith('docs/') || !existsSync(join(root, path)))).toEqual([]);
});

test('a broken link is detected', () => {
  const page = join(root, 'README.md');
  expect(['docs/deploy.md#nowhere', '#nowhere', 'nowhere.md'].filter((link) => !isBroken(page, link))).toEqual([]);
  expect(isBroken(page, 'docs/deploy.md#deploy')).toBe(false);
});
