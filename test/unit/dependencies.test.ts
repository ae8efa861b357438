import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import manifest from '../../package.json';

const root = join(__dirname, '../..');
const lockText = readFileSync(join(root, 'package-lock.json'), 'utf8');
const entrySchema = z.looseObject({
  version: z.string(),
  integrity: z.string().optional(),
  license: z.string().optional(),
  dev: z.literal(true).optional(),
  /** Part of its parent's archive, whose integrity covers it. */
  inBundle: z.literal(true).optional(),
  optionalDependencies: z.record(z.string(), z.string()).default({}),
});
const packages = Object.entries(
  z.object({ packages: z.record(z.string(), entrySchema) }).parse(JSON.parse(lockText)).packages,
).map(([location, entry]) => ({ name: location.replace(/^.*node_modules\//, ''), location, ...entry }));
const installed = packages.filter(({ location }) => location !== '');
const atRunTime = installed.filter(({ dev }) => !dev);

describe('the lockfile', () => {
  test('has the checksum of every package', () => {
    const unverified = installed.filter(({ integrity, inBundle }) => !inBundle && !integrity?.startsWith('sha512-'));
    expect(unverified.map(({ location }) => location)).toEqual([]);
  });

  test('has the bindings for every platform, not only for the one where it was written', () => {
    const names = new Set(installed.map(({ name }) => name));
    const missing = packages.flatMap(({ location, optionalDependencies }) =>
      Object.keys(optionalDependencies).flatMap((name) => (names.has(name) ? [] : `${location}: ${name}`)),
    );
    expect(missing).toEqual([]);
  });

  test('contains no registry URLs', () => {
    expect(lockText).not.toContain('"resolved"');
    // The only URLs are those of the authors' funding pages.
    const keys = [...lockText.matchAll(/"(\w+)": "[^"]*:\/\//g)].map(([, key]) => key);
    expect(new Set(keys)).toEqual(new Set(['url']));
  });
});

test('each dependency is pinned to an exact version', () => {
  const ranges = Object.values({
    ...manifest.dependencies,
    ...manifest.devDependencies,
    ...manifest.optionalDependencies,
    ...manifest.overrides,
  });
  expect(ranges.filter((range) => !/^(npm:[^@]+@)?\d+\.\d+\.\d+$/.test(range))).toEqual([]);
});

describe('licences', () => {
  const allowed = ['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'MIT', 'MIT-0', 'Unlicense'];
  const text = readFileSync(join(root, 'docs/licences.md'), 'utf8');

  test('of all run-time packages are allowed', () => {
    const others = atRunTime.filter(({ license = '' }) => !allowed.includes(license));
    expect(others.map(({ name, license }) => `${name}: ${license}`)).toEqual([]);
    expect(text.replaceAll(/\s+/g, ' ')).toContain(`${allowed.slice(0, -1).join(', ')} and ${allowed.at(-1)}.`);
  });

  test('are listed in docs/licences.md', () => {
    const rows = [...text.matchAll(/^\| ([\w.-]+) \| (`.*`) \|$/gm)];
    const listed = rows.flatMap(([, licence, names = '']) =>
      names.split(', ').map((name) => `${name.replaceAll('`', '')}: ${licence}`),
    );
    expect(listed.sort()).toEqual(atRunTime.map(({ name, license }) => `${name}: ${license}`).sort());
  });
});

test('the SBOM lists all run-time packages with licence and checksum, and contains nothing about this machine', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sbom-'));
  const file = join(folder, 'sbom.json');
  execFileSync(process.execPath, ['--import', 'tsx', join(root, 'bin/sbom.ts'), file], { stdio: 'pipe' });
  const sbomText = readFileSync(file, 'utf8');
  rmSync(folder, { recursive: true });

  expect(JSON.parse(sbomText)).toMatchObject({
    bomFormat: 'CycloneDX',
    metadata: { component: { name: manifest.name, version: manifest.version } },
  });
  const component = z.object({
    name: z.string(),
    version: z.string(),
    purl: z.string().startsWith('pkg:npm/'),
    hashes: z.array(z.object({ alg: z.literal('SHA-512'), content: z.string() })).length(1),
    licenses: z.array(z.unknown()).length(1),
  });
  const { components } = z.object({ components: z.array(component) }).parse(JSON.parse(sbomText));
  const idOf = ({ name, version }: { name: string; version: string }) => `${name}@${version}`;
  expect(components.map(idOf).sort()).toEqual(atRunTime.map(idOf).sort());
  expect(sbomText).not.toContain(root);
  expect([...sbomText.matchAll(/\w+:\/\/[^/"]+/g)].map(([address]) => address)).toEqual(['http://cyclonedx.org']);
});
