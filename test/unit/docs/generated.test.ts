import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateDocuments } from '../../../bin/docs/documents';
import { version } from '../../../package.json';
import { errorCodes } from '../../../shared/errors';

const root = join(__dirname, '../../..');
const documents = generateDocuments();

test.each(Object.keys(documents))('%s is up to date: `npm run docs` writes it', (name) => {
  expect(readFileSync(join(root, name), 'utf8')).toBe(documents[name]);
});

test('docs/errors.md explains every error code', () => {
  const explained = [...(documents['docs/errors.md'] ?? '').matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, code]) => code);
  expect(explained).toEqual([...errorCodes]);
});

test('CHANGELOG.md has a section for the version of the package, below the unreleased changes', () => {
  const sections = [...readFileSync(join(root, 'CHANGELOG.md'), 'utf8').matchAll(/^## \[(.+?)\]/gm)].map(
    ([, name]) => name,
  );
  expect(sections.slice(0, 2)).toEqual(['Unreleased', version]);
});
