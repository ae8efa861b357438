import {
  addStatistics,
  type CounterName,
  callCounterNames,
  counterNames,
  keptErrors,
  type Statistics,
  type StatisticsDelta,
} from './stats';

/** A row that could not be read: a line of `rejected.ndjson`. Contains no personal data. */
export interface RejectedRow {
  readonly portal: string;
  /** Absent for the list of activities. */
  readonly job_uuid?: string | undefined;
  /** The list that it was in. */
  readonly list: 'activities' | 'buyers' | 'non_buyers' | 'access_keys' | 'job_users' | 'subject_users';
  /** The row's own uuid, if it can be read; for an access key or a user, the subject's. */
  readonly uuid?: string | undefined;
  /** Position in the list, over all pages, from 1. */
  readonly position: number;
  readonly reason: string;
}

/** Counts since they were last taken. */
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
 * Counts everything twice: in a total, and in an account of the job, which is taken with the job's part. The sum of
 * everything taken is the total, even across processes.
 */
export class Tally {
  readonly #total = openAccount();
  readonly #accounts = new Map<string, Account>();

  /** A copy of the total. */
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
    // One by one: the number of arguments of a call is limited.
    for (const row of rows) rejected.push(row);
  }

  /** Reverts the counts of a job since they were last taken, except calls, which were made. */
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

  /** Returns and resets the counts of a job, or without a job, all counts that were not taken yet. */
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
