import {
  addStatistics,
  type CounterName,
  callCounterNames,
  counterNames,
  keptErrors,
  type Statistics,
  type StatisticsDelta,
} from './stats';

/** A row that could not be read: a line of `rejected.ndjson`. Holds no personal data. */
export interface RejectedRow {
  readonly portal: string;
  /** Absent for the list of activities. */
  readonly job_uuid?: string | undefined;
  /** Which list it stood in. */
  readonly list: 'activities' | 'buyers' | 'non_buyers' | 'access_keys' | 'job_users' | 'subject_users';
  /** The row's own, where that can be read; for an access key or a user, the subject's. */
  readonly uuid?: string | undefined;
  /** Its place in the list, over all pages, from 1. */
  readonly position: number;
  readonly reason: string;
}

/** What was counted since it was last taken. */
export interface Taken {
  readonly statistics: Statistics;
  readonly rejected: readonly RejectedRow[];
}

const outsideJobs = '';

const openAccount = () => ({
  statistics: { ...addStatistics(), errors: [] as string[] },
  rejected: [] as RejectedRow[],
});
type Account = ReturnType<typeof openAccount>;

const addTo = ({ statistics }: Account, { errors = [], ...counters }: StatisticsDelta): void => {
  for (const [name, count] of Object.entries(counters)) statistics[name as CounterName] += count;
  statistics.errors = [...statistics.errors, ...errors].slice(0, keptErrors);
};

/**
 * Counts everything twice: in a total that only grows, and in an account of the job it belongs to, which is taken away
 * with the job's part. The sum of all that was taken is the total, whichever process counted it.
 */
export class Tally {
  readonly #total = openAccount();
  readonly #accounts = new Map<string, Account>();

  /** All that was counted so far; a copy. */
  total(): Statistics {
    return addStatistics(this.#total.statistics);
  }

  count(delta: StatisticsDelta, job = outsideJobs): void {
    addTo(this.#total, delta);
    addTo(this.#account(job), delta);
  }

  reject(rows: readonly RejectedRow[], job = outsideJobs): void {
    if (rows.length === 0) return;
    this.count({ rows_rejected: rows.length }, job);
    const { rejected } = this.#account(job);
    // One by one: a call takes only so many arguments.
    for (const row of rows) rejected.push(row);
  }

  /** Takes back what was counted for a job since it was last taken, calls excepted: those were made. */
  discard(job: string): void {
    const { statistics, rejected } = this.#account(job);
    const results = counterNames.filter((name) => !callCounterNames.includes(name));
    this.count(Object.fromEntries(results.map((name) => [name, -statistics[name]])), job);
    const total = this.#total.statistics;
    for (const error of statistics.errors.splice(0)) {
      const place = total.errors.lastIndexOf(error);
      if (place >= 0) total.errors.splice(place, 1);
    }
    rejected.length = 0;
  }

  /** Hands over what was counted for a job, or, without one, all that nobody took yet. */
  take(job?: string): Taken {
    const jobs = job === undefined ? [...this.#accounts.keys()] : [job];
    const taken = jobs.map((name) => this.#account(name));
    for (const name of jobs) this.#accounts.delete(name);
    return {
      statistics: addStatistics(...taken.map(({ statistics }) => statistics)),
      rejected: taken.flatMap(({ rejected }) => rejected),
    };
  }

  #account(job: string): Account {
    const account = this.#accounts.get(job) ?? openAccount();
    this.#accounts.set(job, account);
    return account;
  }
}
