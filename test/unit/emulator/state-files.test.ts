import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import * as z from 'zod';
import {
  cutUnfinishedLine,
  readStateFile,
  refuseMissingStores,
  StateError,
  writeStateFile,
} from '../../../emulator/state-files';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'state-files-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const fileWith = (content: string, name = 'some.json'): string => {
  const file = path.join(directory, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, content);
  return file;
};

const messageOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    if (error instanceof StateError) return error.message;
    throw error;
  }
  return 'nothing was thrown';
};

describe('readStateFile', () => {
  const schema = z.object({ token: z.string() });

  test('returns the content of the file, or undefined if there is no file', () => {
    expect(readStateFile(fileWith('{"token":"abc"}'), schema, 'Restore it.')).toEqual({ token: 'abc' });
    expect(readStateFile(path.join(directory, 'absent.json'), schema, 'Restore it.')).toBeUndefined();
  });

  test('names a truncated file and how to fix it, without showing its content', () => {
    const content = JSON.stringify({ token: 'very-secret-token' });
    fc.assert(
      fc.property(fc.nat(content.length - 1), (length) => {
        const file = fileWith(content.slice(0, length));
        const message = messageOf(() => readStateFile(file, schema, 'Restore it.'));
        expect(message).toBe(`${file} is damaged: ${length === 0 ? 'it is empty' : 'it is not JSON'}. Restore it.`);
      }),
    );
  });

  test('names the errors in JSON that does not match the schema, without showing its content', () => {
    const file = fileWith('{"token":12345}');
    const message = messageOf(() => readStateFile(file, schema, 'Restore it.'));
    expect(message).toMatch(/some\.json is damaged: token: .*expected string.*\. Restore it\.$/);
    expect(message).not.toContain('12345');
  });
});

test('writeStateFile replaces a file atomically, with access only for its owner', () => {
  const file = fileWith('old');
  writeStateFile(file, 'new');
  expect(readFileSync(file, 'utf8')).toBe('new');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readdirSync(directory)).toEqual(['some.json']);
});

test('cutUnfinishedLine keeps complete lines', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', 'ä', '\n') }), (content) => {
      const file = fileWith(content);
      cutUnfinishedLine(file);
      expect(readFileSync(file, 'utf8')).toBe(content.slice(0, content.lastIndexOf('\n') + 1));
    }),
  );
  cutUnfinishedLine(path.join(directory, 'absent'));
});

describe('refuseMissingStores', () => {
  const files = [
    'ports.json',
    'queues-and-buckets/fauxqs.db',
    'tables/CURRENT',
    'tables/000005.log',
    'tables/000004.ldb',
  ];
  const fill = (without: readonly string[]) => {
    for (const name of files.filter((one) => !without.includes(one))) fileWith('x', name);
  };

  test('accepts a new directory and a complete one', () => {
    refuseMissingStores(directory);
    refuseMissingStores(path.join(directory, 'new'));
    fill([]);
    refuseMissingStores(directory);
  });

  test('accepts the files of a first start that was killed', () => {
    fileWith('', 'tables/LOCK');
    fileWith('', 'tables/MANIFEST-000001');
    refuseMissingStores(directory);
  });

  test.each([
    ['queues-and-buckets/fauxqs.db', 'fauxqs.db is damaged: it is missing or empty'],
    ['tables/CURRENT', 'CURRENT is damaged: it is missing'],
    ['tables/000005.log', 'tables is damaged: its .log file is missing'],
  ])('rejects a directory without %s', (missing, message) => {
    fill([missing]);
    expect(messageOf(() => refuseMissingStores(directory))).toContain(message);
  });

  test('rejects a directory without tables, and one with an empty queue database', () => {
    fill(files.filter((name) => name.startsWith('tables/')));
    expect(messageOf(() => refuseMissingStores(directory))).toContain('tables is damaged: its files are missing');
    fill([]);
    fileWith('', 'queues-and-buckets/fauxqs.db');
    expect(messageOf(() => refuseMissingStores(directory))).toContain('fauxqs.db is damaged: it is missing or empty');
  });

  test('rejects incomplete tables with data, even without other signs of a complete start', () => {
    fileWith('x', 'tables/000004.ldb');
    expect(messageOf(() => refuseMissingStores(directory))).toContain('CURRENT is damaged: it is missing');
  });
});
