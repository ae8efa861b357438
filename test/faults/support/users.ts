import { DatabaseSync } from 'node:sqlite';
import { loadSampleUsers } from '../../../local/sample/users';
import { usersPerPart } from '../../../shared/iterable/parts';

/** The users of the runs. Each kind of run selects one plan. */
const groups = [
  /** Two parts: a full one, and one with a single user. */
  { plan: 'basic', count: usersPerPart + 1, lastName: null },
  /** Sent with one call per user. */
  { plan: 'free', count: 2, lastName: null },
  /** Files that are too large for one call to S3. */
  { plan: 'enterprise', count: 64, lastName: 'x'.repeat(100_000) },
] as const;

/** Writes customers and their page views to a SQLite file. The e-mail address contains the index within the plan. */
export const loadUsers = (file: string, nowMs: number): void => {
  loadSampleUsers(file, nowMs);
  const database = new DatabaseSync(file);
  try {
    database.exec('BEGIN; DELETE FROM page_views; DELETE FROM customers');
    const addCustomer = database.prepare('INSERT INTO customers (id, email, last_name, plan_type) VALUES (?, ?, ?, ?)');
    const addView = database.prepare('INSERT INTO page_views (user_id, page, event_time) VALUES (?, ?, ?)');
    const today = `${new Date(nowMs).toISOString().slice(0, 10)} 00:00:00`;
    let id = 0;
    for (const { plan, count, lastName } of groups) {
      for (let number = 0; number < count; number++) {
        id += 1;
        addCustomer.run(id, `${plan}-${number}@example.com`, lastName, plan);
        addView.run(id, 'pricing', today);
      }
    }
    database.exec('COMMIT');
  } finally {
    database.close();
  }
};

/** The index of the part that contains the user whose e-mail address is in `text`. */
export const partIndexIn = (text: string): number =>
  Math.floor(Number(/-(\d+)@example\.com/.exec(text)?.[1]) / usersPerPart);
