import { bulkhead } from 'cockatiel';
import { allSettledOrThrow } from '../concurrency/settled';
import { type AccessKeyOptions, type AccessKeys, createAccessKeys } from './access-keys';
import {
  groupByJob,
  hasUnreadableStart,
  type NetlifeJob,
  resolveActivities,
  type SubjectActivities,
} from './activities';
import { createPortalApi, type PortalApi, type PortalApiOptions } from './api';
import type { EnrichedSubject } from './contacts';
import { enrichSubjects, type SubjectLists, selectAudience, uniqueByUuid } from './enrich';
import type { Audience } from './input';
import {
  type CallOptions,
  createListReader,
  type ListOptions,
  type ListReader,
  type ResumableRead,
} from './list-reader';
import { readResponse } from './listing';
import type { Portal } from './portals';
import { PromiseCache } from './promise-cache';
import {
  type Activity,
  activitySchema,
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

/** Which subjects of a job to read, and whether to check who is registered. */
export interface SubjectFilters {
  readonly audience: Audience;
  readonly checkRegisteredUsers: boolean;
}

const jobsAtATime = 10;
/** More than a run requests at once. User details are the only cache that the end of a job does not empty. */
const usersKept = 1_000;

const segment = encodeURIComponent;
const unreadableStart = 'starting is not a real instant, so its contacts get the start of the run';
const inWebshop = '/activities/search?status_id=in-webshop';

/**
 * One portal's API (docs/contracts/netlife.md): all calls share one pace, every list is read over all its pages, and
 * rows that cannot be read are counted and kept for the report.
 *
 * All methods that call the portal throw a `PipelineError`: permanent `API_REFUSED` (a refused login ends the
 * portal, see `isLoginRefusal`) and `BAD_ANSWER`; retryable, after 3 tries, `RATE_LIMITED`, `API_UNAVAILABLE`,
 * `TIMEOUT`, `CONNECTION_FAULT`, and `BAD_ANSWER` for a response that is no JSON.
 *
 * Memory: everything read of a job is kept until `releaseJob`.
 */
export class NetlifeClient {
  readonly portal: Portal;
  /** The portal's limit. */
  readonly callsPerSecond: number;
  readonly #api: PortalApi;
  readonly #lists: ListReader;
  readonly #accessKeys: AccessKeys;
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
    this.callsPerSecond = options.rateLimitPerSecond;
    this.#now = options.now ?? Date.now;
    this.#startedAtMs = this.#now();
    this.#api = createPortalApi(options, this.#tally);
    this.#lists = createListReader(this.#api, this.portal, this.#tally);
    this.#accessKeys = createAccessKeys({
      api: this.#api,
      lists: this.#lists,
      portal: this.portal,
      tally: this.#tally,
    });
  }

  /** Scheme, host and port of the portal. */
  get origin(): string {
    return this.portal.origin;
  }

  /** Resolves if the portal accepts our login. */
  testConnection(): Promise<void> {
    return this.#api.check({ path: this.#path(inWebshop) });
  }

  /**
   * A robust GET: paced, with several tries; 401 and 403 are final.
   *
   * @param path below the base URL, with its query: `/jobs/123`
   */
  get(path: string, call: CallOptions = {}): Promise<unknown> {
    return this.#api.fetchJson({ ...call, path: this.#path(path) });
  }

  /** The raw rows of a list, over all its pages. A page is fetched when its first row is read. */
  paginate(path: string, options?: ListOptions): AsyncGenerator<unknown> {
    return this.#lists.readPages(path, options);
  }

  /**
   * Activities on sale, unique and ordered by uuid. An unreadable start of sale is reported, because it dates the
   * consents.
   */
  async getActivitiesInWebshop(reading: ResumableRead = {}): Promise<Activity[]> {
    const faultOf = (activity: Activity) => (hasUnreadableStart(activity) ? unreadableStart : undefined);
    const rows = await this.#lists.readAll(
      { path: inWebshop, schema: activitySchema, list: 'activities', faultOf },
      reading,
    );
    const activities = uniqueByUuid(rows);
    const warnings = activities.filter(hasUnreadableStart).map(({ uuid }) => `Activity ${uuid}: ${unreadableStart}`);
    this.#tally.count({ activities_found: activities.length, errors: warnings });
    return activities;
  }

  /** The jobs with something on sale, ordered by uuid; only those of `onlyJobIds`, if it is not empty. */
  async getJobs(onlyJobIds: readonly string[] = [], reading: ResumableRead = {}): Promise<NetlifeJob[]> {
    return groupByJob(await this.getActivitiesInWebshop(reading), onlyJobIds);
  }

  getJobDetails(job: string): Promise<JobDetails> {
    return this.#jobDetails.get(job, async () => {
      const response = await this.get(`/jobs/${segment(job)}`, { job, slow: true });
      return readResponse(jobDetailsSchema, response, 'details of a job');
    });
  }

  /** The subjects of a job that have ordered (`hasOrder`) or have not, unique and ordered by uuid. */
  getJobSubjects(job: string, hasOrder: boolean, reading: ResumableRead = {}): Promise<readonly Subject[]> {
    const query = `filter_has_order=${hasOrder}&include_images=true&include_favorite_image=true`;
    return (hasOrder ? this.#buyers : this.#nonBuyers).get(job, async () =>
      uniqueByUuid(
        await this.#lists.readAll(
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

  /** Both lists, fetched side by side. A subject in both is a buyer. */
  async getBuyersAndNonBuyers(job: string, reading: ResumableRead = {}): Promise<SubjectLists> {
    const [buyers, nonBuyers] = await allSettledOrThrow([
      this.getJobSubjects(job, true, reading),
      this.getJobSubjects(job, false, reading),
    ]);
    return { buyers, nonBuyers };
  }

  /**
   * A subject's first access key, without a call if it is known; if there is none and `create` is set, a new one.
   *
   * @returns `undefined` if there is none, which counts as failed
   */
  getOrCreateAccessKey(job: string, subject: Subject, options: AccessKeyOptions): Promise<string | undefined> {
    return this.#accessKeys.getOrCreate(job, subject, options);
  }

  /** The registered users of a job, by the uuid of their subject: one bulk call, over its pages. */
  async getJobRegisteredUsersMap(job: string, reading: ResumableRead = {}): Promise<Map<string, RegisteredUser>> {
    const path = `/jobs/${segment(job)}/users`;
    const users = new Map<string, RegisteredUser>();
    const listing = { path, schema: jobUserSchema, list: 'job_users', job, slow: true } as const;
    for await (const row of this.#lists.read(listing, reading)) {
      const known = users.get(row.subjectUuid);
      // Of several, always the same one, whatever their order.
      if (known === undefined || row.user.userUuid < known.userUuid) users.set(row.subjectUuid, row.user);
    }
    return users;
  }

  /** The registered users of one subject. */
  getRegisteredUsers(job: string, subject: string): Promise<RegisteredUser[]> {
    const path = `/jobs/${segment(job)}/subjects/${segment(subject)}/users`;
    return this.#lists.readAll({ path, schema: subjectUserSchema, list: 'subject_users', job, subject });
  }

  getUserDetails(user: string): Promise<UserDetails> {
    return this.#users.get(user, async () =>
      readResponse(userDetailsSchema, await this.get(`/users/${segment(user)}`), 'details of a user'),
    );
  }

  /** The activities of each subject, by the subject's uuid. */
  async buildSubjectActivityMapping(
    job: NetlifeJob,
    subjects: readonly Subject[],
  ): Promise<Map<string, SubjectActivities>> {
    const details = await this.getJobDetails(job.uuid);
    return new Map(subjects.map((subject) => [subject.uuid, resolveActivities(subject, details, job)]));
  }

  /**
   * The subjects of a job in this audience, ordered by uuid, with everything that contacts need except the access key.
   * If there are none, users and details are not fetched.
   */
  getEnrichedSubjects(
    job: NetlifeJob,
    filters: SubjectFilters,
    reading: ResumableRead = {},
  ): Promise<readonly EnrichedSubject[]> {
    const ofJob = this.#enriched.get(job.uuid) ?? this.#cache<readonly EnrichedSubject[]>();
    this.#enriched.set(job.uuid, ofJob);
    const { audience, checkRegisteredUsers } = filters;
    return ofJob.get(JSON.stringify([audience, checkRegisteredUsers]), async () => {
      // The audience of non-buyers needs both lists: a subject in both is a buyer.
      const lists =
        audience === 'buyers'
          ? { buyers: await this.getJobSubjects(job.uuid, true, reading), nonBuyers: [] }
          : await this.getBuyersAndNonBuyers(job.uuid, reading);
      const subjects = selectAudience(lists, audience);
      if (subjects.length === 0) return [];
      const [users, details] = await allSettledOrThrow([
        checkRegisteredUsers ? this.getJobRegisteredUsersMap(job.uuid, reading) : new Map<string, RegisteredUser>(),
        this.getJobDetails(job.uuid),
      ]);
      return enrichSubjects({ job, subjects, users, details });
    });
  }

  /** Runs `work` as one of at most 10 jobs at a time. Others wait in order. */
  inJobSlot<T>(work: () => Promise<T>): Promise<T> {
    return this.#jobSlots.execute(work);
  }

  /** Drops everything that was read of a job. */
  releaseJob(job: string): void {
    for (const cache of [this.#jobDetails, this.#buyers, this.#nonBuyers]) cache.forget(job);
    this.#enriched.delete(job);
  }

  incrementJobProcessed(job: string): void {
    this.#tally.count({ jobs_processed: 1 }, job);
  }

  /** @param message one sentence, safe to log */
  incrementJobFailed(job: string, message: string): void {
    this.#tally.count({ jobs_failed: 1, errors: [message] }, job);
  }

  addSubjectStats(job: string, delta: StatisticsDelta): void {
    this.#tally.count(delta, job);
  }

  /** Reverts the counts of a job since they were last taken, except calls: the work is repeated, and counted again. */
  discardStats(job: string): void {
    this.#tally.discard(job);
  }

  /**
   * Returns and resets the counts of a job, or without a job, all counts that were not taken yet. The sum of everything
   * taken is the summary: counts can be stored with a job's parts and added up by another process.
   */
  takeStats(job?: string): Taken {
    return this.#tally.take(job);
  }

  /** All counts of this client, and how long it has been in use. */
  getStatsSummary(): Statistics {
    return { ...this.#tally.total(), duration_seconds: (this.#now() - this.#startedAtMs) / 1_000 };
  }

  /** Prints the final statistics and returns the text. */
  logFinalStats(print: (text: string) => void = console.log): string {
    const text = formatFinalStats(portalTitle(this.portal), this.getStatsSummary());
    print(text.trimEnd());
    return text;
  }

  /** Closes the connections after all calls have ended. */
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
}
