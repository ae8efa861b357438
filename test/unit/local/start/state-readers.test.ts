import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { StateError } from '../../../../emulator/state-files';
import { loadSampleUsers } from '../../../../local/sample/users';
import { openJournal } from '../../../../local/simulators/journal';
import { openDayLog } from '../../../../local/start/day-log';
import { describeFailure } from '../../../../local/start/describe-failure';
import { readSecretsFile } from '../../../../local/start/secrets-file';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'state-readers-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const inFolder = (name: string) => join(folder, name);

describe('the secrets file', () => {
  test('is written once, and read unchanged', () => {
    const secrets = readSecretsFile(inFolder('secrets.json'));
    expect(readSecretsFile(inFolder('secrets.json'))).toEqual(secrets);
  });

  test('is named and kept if it is damaged; no value is shown', () => {
    const file = inFolder('secrets.json');
    const { InternalApiSecret } = readSecretsFile(file);
    const whole = readFileSync(file, 'utf8');
    const lengths = Array.from({ length: whole.length - 2 }, (_, index) => index);
    for (const length of lengths) {
      writeFileSync(file, whole.slice(0, length));
      const read = () => readSecretsFile(file);
      expect(read).toThrow(StateError);
      expect(read).toThrow(/secrets\.json is damaged: .* Restore it from a copy, or delete it/);
      expect(read).not.toThrow(InternalApiSecret.token.slice(0, 8));
      expect(readFileSync(file, 'utf8')).toBe(whole.slice(0, length));
    }
  });
});

describe('the log of days', () => {
  const begun = () => {
    const log = openDayLog(folder);
    const plan = log.plan(20, 1_000);
    log.begin(plan);
    log.recordAnswer('call 1');
    return plan;
  };

  test('resumes the open day, without an incomplete last name', () => {
    const plan = begun();
    appendFileSync(inFolder('day-answers.txt'), 'cal');
    const resumed = openDayLog(folder);
    expect(resumed.openDay).toEqual(plan);
    expect(resumed.answered).toEqual(new Set(['call 1']));
    resumed.recordAnswer('call 2');
    expect(openDayLog(folder).answered).toEqual(new Set(['call 1', 'call 2']));
  });

  test('is named if it is damaged or missing, as a day of the same orders would begin otherwise', () => {
    begun();
    truncateSync(inFolder('day.json'), 5);
    expect(() => openDayLog(folder)).toThrow(/day\.json is damaged: it is not JSON\. Restore it/);
    writeFileSync(inFolder('day.json'), '{"nextOrder":-1}');
    expect(() => openDayLog(folder)).toThrow(/day\.json is damaged: nextOrder: /);
    rmSync(inFolder('day.json'));
    expect(() => openDayLog(folder)).toThrow(/day\.json is damaged: it is missing/);
  });
});

describe('the journal', () => {
  const schema = z.object({ at: z.number() });
  const open = () => {
    const entries: unknown[] = [];
    const journal = openJournal(inFolder('journal.ndjson'), schema, (entry) => entries.push(entry));
    return { journal, entries };
  };

  test('cuts off an incomplete last line', () => {
    const { journal } = open();
    journal.append({ at: 1 });
    journal.close();
    appendFileSync(inFolder('journal.ndjson'), '{"at":');
    const second = open();
    second.journal.append({ at: 2 });
    second.journal.close();
    const third = open();
    third.journal.close();
    expect(third.entries).toEqual([{ at: 1 }, { at: 2 }]);
  });

  test('is named if a complete line is damaged', () => {
    writeFileSync(inFolder('journal.ndjson'), '{"at":1}\n{"at":\n');
    expect(open).toThrow(/journal\.ndjson is damaged: it is not JSON\. Delete it/);
    writeFileSync(inFolder('journal.ndjson'), '{"at":"noon"}\n');
    expect(open).toThrow(/journal\.ndjson is damaged: at: /);
  });
});

test('sample users replace a file that is not a database', () => {
  writeFileSync(inFolder('users.sqlite'), 'nonsense');
  loadSampleUsers(inFolder('users.sqlite'), Date.UTC(2026, 0, 5));
  expect(readFileSync(inFolder('users.sqlite')).subarray(0, 6).toString()).toBe('SQLite');
});

describe('what a failed start prints', () => {
  test('is one sentence if the user can fix it', () => {
    expect(describeFailure(new StateError('x is damaged: it is empty. Delete it.'), '/s')).toBe(
      'x is damaged: it is empty. Delete it.',
    );
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    expect(describeFailure(full, '/s')).toBe(
      'The disk of /s is full (ENOSPC: no space left on device, write): free some space and start again, nothing that was acknowledged is lost.',
    );
  });

  test('has the stack of any other error', () => {
    expect(describeFailure(new Error('a bug'), '/s')).toMatch(/^Error: a bug\n\s+at /);
    expect(describeFailure('a bug', '/s')).toBe('a bug');
  });
});
