import { bulkhead } from 'cockatiel';
import { allSettledOrThrow } from '../concurrency/settled';
import { PipelineError } from '../errors';
import {
  groupByJob,
  hasUnreadableStart,
  type NetlifeJob,
  resolveActivities,
  type SubjectActivities,
} from './activities';
import { createPortalApi, type PortalApiOptions } from './api';
import type { EnrichedSubject } from './contacts';
import { enrichSubjects, type SubjectLists, uniqueByUuid } from './enrich';
import type { Audience } from './input';
import { type Listing, readAnswer, readRows } from './listing';
import { type FetchedPage, type KeptPages, paginate } from './pages';
import type { Portal } from './portals';
import { PromiseCache } from './promise-cache';
import {
  type Activity,
  accessKeySchema,
  activitySchema,
  createdKeySchema,
  displayNameOf,
  type JobDetails,
  jobDetailsSchema,
  jobUserSchema,
  type RegisteredUser,
  type Subject,
  subjectSchema,
  subjectUserSchema,
  type UserDetails,
  userDetailsSchema,
} from './schemas';
import { formatFinalStats, portalTitle, type Statistics, type StatisticsDelta } from './stats';
import { type Taken, Tally } from './tally';

export type NetlifeClientOptions = PortalApiOptions;

/** Which subjects of a job, and what to know about them. */
export interface SubjectFilters {
  readonly audience: Audience;
  readonly checkRegisteredUsers: boolean;
}

/** The job a call is counted for, and whether its last try may take 120 s. */
interface CallOptions {
  readonly job?: string | undefined;
  readonly slow?: boolean | undefined;
}

/** How a list that may take longer than there is time is read in several turns. */
export interface ResumableRead {
  /** Asked before each page that is fetched: with no time left, the list ends by a retryable `TIMEOUT`. */
  readonly isTimeUp?: (() => boolean) | undefined;
  /** The pages of a list that are kept from turn to turn. */
  readonly pagesOf?: ((list: Listing<unknown>['list']) => KeptPages) | undefined;
}

interface ListOptions extends CallOptions, Pick<ResumableRead, 'isTimeUp'> {
  readonly kept?: KeptPages | undefined;
}

const jobsAtATime = 10;
/** More than a run asks for at once; user details are the one cache that no job's end empties. */
const usersKept = 1_000;

const segment = encodeURIComponent;
const unreadableStart = 'starting is not a real instant, so its contacts get the start of the run';
const inWebshop = '/activities/search?status_id=in-webshop';

/**
 * One portal's API (docs/contracts/netlife.md): every call goes through one pace, every list is followed over its pages,
 * every row that cannot be read is counted and kept for the report.
 *
 * All methods that call the portal throw a `PipelineError`: permanent `API_REFUSED` (a refused login ends the
 * portal, see `isLoginRefusal`) and `BAD_ANSWER`; retryable, after 3 tries, `RATE_LIMITED`, `API_UNAVAILABLE`,
 * `TIMEOUT`, `CONNECTION_FAULT`, and `BAD_ANSWER` for what is no JSON.
 *
 * Memory: what was read of a job is kept until `releaseJob`.
 */
export class NetlifeClient {
  readonly portal: Portal;
  readonly #api: ReturnType<typeof createPortalApi>;
  readonly #tally = new Tally();
  readonly #now: () => number;
  readonly #startedAtMs: number;
  readonly #jobSlots = bulkhead(jobsAtATime, Number.POSITIVE_INFINITY);
  readonly #jobDetails = this.#cache<JobDetails>();
  readonly #buyers = this.#cache<readonly Subject[]>();
  readonly #nonBuyers = this.#cache<readonly Subject[]>();
  readonly #enriched = new Map<string, PromiseCache<readonly EnrichedSubject[]>>();
  readonly #users = this.#cache<UserDetails>(usersKept);

  constructor(options: NetlifeClientOptions) {
    this.portal = options.portal;
    this.#now = options.now ?? Date.now;
    this.#startedAtMs = this.#now();
    this.#api = createPortalApi(options, this.#tally);
  }

  /** Scheme, host and port of the portal. */
  get origin(): string {
    return this.portal.origin;
  }

  /** Resolves when the portal lets us in. */
  testConnection(): Promise<void> {
    return this.#api.check({ path: this.#path(inWebshop) });
  }

  /**
   * A robust GET: paced, with tries, 401 and 403 being final.
   *
   * @param path below the base URL, with its query: `/jobs/123`
   */
  get(path: string, call: CallOptions = {}): Promise<unknown> {
    return this.#api.fetchJson({ ...call, path: this.#path(path) });
  }

  /** The rows of a list as they came, over all its pages; a page is fetched when its first row is asked for. */
  paginate(path: string, { isTimeUp, kept, ...call }: ListOptions = {}): AsyncGenerator<unknown> {
    const fetchPage = async (page: string): Promise<FetchedPage> => {
      if (isTimeUp?.()) throw new PipelineError('TIMEOUT', 'The time was up', { api: 'netlife', retryable: true });
      return this.#api.fetchPage({ ...call, path: page });
    };
    return paginate(this.#path(path), this.portal, fetchPage, kept);
  }

  /** What is on sale, by uuid, each once. An unreadable start of a sale is reported: it dates the consents. */
  async getActivitiesInWebshop(reading: ResumableRead = {}): Promise<Activity[]> {
    const faultOf = (activity: Activity) => (hasUnreadableStart(activity) ? unreadableStart : undefined);
    const rows = await this.#readAll({ path: inWebshop, schema: activitySchema, list: 'activities', faultOf }, reading);
    const activities = uniqueByUuid(rows);
    const warnings = activities.filter(hasUnreadableStart).map(({ uuid }) => `Activity ${uuid}: ${unreadableStart}`);
    this.#tally.count({ activities_found: activities.length, errors: warnings });
    return activities;
  }

  /** The jobs with something on sale, by uuid; with `onlyJobIds` that is not empty, only these. */
  async getJobs(onlyJobIds: readonly string[] = [], reading: ResumableRead = {}): Promise<NetlifeJob[]> {
    return groupByJob(await this.getActivitiesInWebshop(reading), onlyJobIds);
  }

  getJobDetails(job: string): Promise<JobDetails> {
    return this.#jobDetails.get(job, async () => {
      const answer = await this.get(`/jobs/${segment(job)}`, { job, slow: true });
      return readAnswer(jobDetailsSchema, answer, 'details of a job');
    });
  }

  /** The subjects of a job that have ordered (`hasOrder`), or that have not: by uuid, each once. */
  getJobSubjects(job: string, hasOrder: boolean, reading: ResumableRead = {}): Promise<readonly Subject[]> {
    const query = `filter_has_order=${hasOrder}&include_images=true&include_favorite_image=true`;
    return (hasOrder ? this.#buyers : this.#nonBuyers).get(job, async () =>
      uniqueByUuid(
        await this.#readAll(
          {
            path: `/jobs/${segment(job)}/subjects?${query}`,
            schema: subjectSchema,
            list: hasOrder ? 'buyers' : 'non_buyers',
            job,
            slow: true,
          },
          reading,
        ),
      ),
    );
  }

  /** Both lists, fetched side by side. A subject may be in both: then it is a buyer. */
  async getBuyersAndNonBuyers(job: string, reading: ResumableRead = {}): Promise<SubjectLists> {
    const [buyers, nonBuyers] = await allSettledOrThrow([
      this.getJobSubjects(job, true, reading),
      this.getJobSubjects(job, false, reading),
    ]);
    return { buyers, nonBuyers };
  }

  /**
   * A subject's first access key; where there is none and `create` says so, a new one. Nobody can take a key back, and
   * the next run would find the older of two: so before each further try it looks for the key of the one that failed.
   *
   * @returns `undefined` when there is none; that is counted as failed
   */
  async getOrCreateAccessKey(job: string, subject: Subject, create: boolean): Promise<string | undefined> {
    const path = `/jobs/${segment(job)}/subjects/${segment(subject.uuid)}/accesskeys`;
    const listing = { schema: accessKeySchema, list: 'access_keys', job, subject: subject.uuid } as const;
    const look = async (): Promise<string | undefined> => {
      for await (const key of this.#read({ ...listing, path })) return key;
      return undefined;
    };
    const existing = await look();
    if (existing !== undefined) {
      this.#tally.count({ access_keys_existing: 1 }, job);
      return existing;
    }
    if (create) {
      const body = { name: displayNameOf(subject) };
      const answer = await this.#api.fetchJson({ method: 'POST', path: this.#path(path), body, job, look });
      const key = createdKeySchema.safeParse(answer).data;
      this.#tally.count(key === undefined ? { access_keys_failed: 1 } : { access_keys_created: 1 }, job);
      return key;
    }
    this.#tally.count({ access_keys_failed: 1 }, job);
    return undefined;
  }

  /** Who of a job's subjects signed up in the webshop, by the subject's uuid: one bulk call, over its pages. */
  async getJobRegisteredUsersMap(job: string, reading: ResumableRead = {}): Promise<Map<string, RegisteredUser>> {
    const path = `/jobs/${segment(job)}/users`;
    const users = new Map<string, RegisteredUser>();
    const listing = { path, schema: jobUserSchema, list: 'job_users', job, slow: true } as const;
    for await (const row of this.#read(listing, reading)) {
      const known = users.get(row.subjectUuid);
      // Of several, always the same one, in whatever order they come.
      if (known === undefined || row.user.userUuid < known.userUuid) users.set(row.subjectUuid, row.user);
    }
    return users;
  }

  /** Who signed up in the webshop for one subject. */
  getRegisteredUsers(job: string, subject: string): Promise<RegisteredUser[]> {
    const path = `/jobs/${segment(job)}/subjects/${segment(subject)}/users`;
    return this.#readAll({ path, schema: subjectUserSchema, list: 'subject_users', job, subject });
  }

  getUserDetails(user: string): Promise<UserDetails> {
    return this.#users.get(user, async () =>
      readAnswer(userDetailsSchema, await this.get(`/users/${segment(user)}`), 'details of a user'),
    );
  }

  /** Which of the job's activities each of the subjects belongs to, by the subject's uuid. */
  async buildSubjectActivityMapping(
    job: NetlifeJob,
    subjects: readonly Subject[],
  ): Promise<Map<string, SubjectActivities>> {
    const details = await this.getJobDetails(job.uuid);
    return new Map(subjects.map((subject) => [subject.uuid, resolveActivities(subject, details, job)]));
  }

  /** The subjects of a job in this audience, by uuid, with all that their contacts need but the access key. */
  getEnrichedSubjects(
    job: NetlifeJob,
    filters: SubjectFilters,
    reading: ResumableRead = {},
  ): Promise<readonly EnrichedSubject[]> {
    const ofJob = this.#enriched.get(job.uuid) ?? this.#cache<readonly EnrichedSubject[]>();
    this.#enriched.set(job.uuid, ofJob);
    const { audience, checkRegisteredUsers } = filters;
    return ofJob.get(JSON.stringify([audience, checkRegisteredUsers]), async () => {
      const [lists, users, details] = await allSettledOrThrow([
        // The audience of non-buyers needs both lists: whoever is in both is none of them.
        audience === 'buyers'
          ? this.getJobSubjects(job.uuid, true, reading).then((buyers) => ({ buyers, nonBuyers: [] }))
          : this.getBuyersAndNonBuyers(job.uuid, reading),
        checkRegisteredUsers ? this.getJobRegisteredUsersMap(job.uuid, reading) : new Map<string, RegisteredUser>(),
        this.getJobDetails(job.uuid),
      ]);
      return enrichSubjects({ job, audience, lists, users, details });
    });
  }

  /** Runs `work` as one of the 10 jobs that may be in work at a time; the others wait, in their order. */
  inJobSlot<T>(work: () => Promise<T>): Promise<T> {
    return this.#jobSlots.execute(work);
  }

  /** Forgets what was read of a job. */
  releaseJob(job: string): void {
    for (const cache of [this.#jobDetails, this.#buyers, this.#nonBuyers]) cache.forget(job);
    this.#enriched.delete(job);
  }

  incrementJobProcessed(job: string): void {
    this.#tally.count({ jobs_processed: 1 }, job);
  }

  /** @param message a sentence fit for a log */
  incrementJobFailed(job: string, message: string): void {
    this.#tally.count({ jobs_failed: 1, errors: [message] }, job);
  }

  addSubjectStats(job: string, delta: StatisticsDelta): void {
    this.#tally.count(delta, job);
  }

  /** Takes back what was counted of a job since it was last taken, calls excepted: it will be counted again. */
  discardStats(job: string): void {
    this.#tally.discard(job);
  }

  /**
   * Hands over what was counted for a job since it was last taken, or, without one, all that nobody took yet. The sum of
   * all that is taken is the summary: it can be kept with a job's parts, and added up by another process.
   */
  takeStats(job?: string): Taken {
    return this.#tally.take(job);
  }

  /** All that this client counted, and how long it has been in use. */
  getStatsSummary(): Statistics {
    return { ...this.#tally.total(), duration_seconds: (this.#now() - this.#startedAtMs) / 1_000 };
  }

  /** Prints the final statistics, and returns what it printed. */
  logFinalStats(print: (text: string) => void = console.log): string {
    const text = formatFinalStats(portalTitle(this.portal), this.getStatsSummary());
    print(text.trimEnd());
    return text;
  }

  /** Closes the connections once all calls are answered. */
  close(): Promise<void> {
    return this.#api.close();
  }

  #path(path: string): string {
    return this.portal.basePath + path;
  }

  #cache<T>(maxEntries = Number.POSITIVE_INFINITY): PromiseCache<T> {
    return new PromiseCache<T>({
      onHit: () => this.#tally.count({ cache_hits: 1 }),
      onMiss: () => this.#tally.count({ cache_misses: 1 }),
      maxEntries,
    });
  }

  #read<T>(
    { path, slow, ...listing }: Listing<T> & { readonly path: string },
    { isTimeUp, pagesOf }: ResumableRead = {},
  ): AsyncGenerator<T> {
    const { job } = listing;
    const rows = this.paginate(path, { job, slow, isTimeUp, kept: pagesOf?.(listing.list) });
    return readRows(rows, { portal: this.portal.name, ...listing }, (rejected) => this.#tally.reject(rejected, job));
  }

  async #readAll<T>(listing: Listing<T> & { readonly path: string }, reading?: ResumableRead): Promise<T[]> {
    const rows: T[] = [];
    for await (const row of this.#read(listing, reading)) rows.push(row);
    return rows;
  }
}
