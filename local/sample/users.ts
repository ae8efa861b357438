import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

const folder = join(__dirname, 'mysql');
const dayMs = 24 * 3_600_000;

/**
 * Loads the sample customers and page views, written for MySQL, into a new SQLite file. An old one is deleted.
 *
 * @param nowMs the current time: views are dated up to it
 * @throws if the file cannot be written
 */
export const loadSampleUsers = (file: string, nowMs: number): void => {
  rmSync(file, { force: true });
  const database = new DatabaseSync(file);
  try {
    database.function('utc_date', { deterministic: true }, () => new Date(nowMs).toISOString().slice(0, 10));
    database.function('subdate', { deterministic: true }, (date, days) =>
      new Date(Date.parse(String(date)) - Number(days) * dayMs).toISOString().slice(0, 10),
    );
    // SQLite has no ENUM.
    const schema = readFileSync(join(folder, 'schema.sql'), 'utf8').replaceAll(/ENUM\([^)]*\)/g, 'TEXT');
    database.exec(schema);
    database.exec(readFileSync(join(folder, 'data.sql'), 'utf8'));
  } finally {
    database.close();
  }
};
