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
import { type Listing, readResponse, readRows } from './listing';
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

/** Which subjects of a job to read, and whether to check who is registered. */
export interface SubjectFilters {
  readonly audience: Audience;
  readonly checkRegisteredUsers: boolean;
}

/** The job a call is counted for, and whether its last try may take 120 s. */
interface CallOptions {
  readonly job?: string | undefined;
  readonly slow?: boolean | undefined;
}

/** How a long list is read in several turns. */
export interface ResumableRead {
  /** Called before each page is fetched. If the time is up, the list fails with a retryable `TIMEOUT`. */
  readonly isTimeUp?: (() => boolean) | undefined;
  /** The stored pages of a list, from earlier turns. */
  readonly pagesOf?: ((list: Listing<unknown>['list']) => KeptPages) | undefined;
}

interface ListOptions extends CallOptions, Pick<ResumableRead, 'isTimeUp'> {
  readonly kept?: KeptPages | undefined;
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
  paginate(path: string, { isTimeUp, kept, ...call }: ListOptions = {}): AsyncGenerator<unknown> {
    const fetchPage = async (page: string): Promise<FetchedPage> => {
      if (isTimeUp?.()) throw new PipelineError('TIMEOUT', 'The time was up', { api: 'netlife', retryable: true });
      return this.#api.fetchPage({ ...call, path: page });
    };
    return paginate(this.#path(path), this.portal, fetchPage, kept);
  }

  /**
   * Activities on sale, unique and ordered by uuid. An unreadable start of sale is reported, because it dates the
   * consents.
   */
  async getActivitiesInWebshop(reading: ResumableRead = {}): Promise<Activity[]> {
    const faultOf = (activity: Activity) => (hasUnreadableStart(activity) ? unreadableStart : undefined);
    const rows = await this.#readAll({ path: inWebshop, schema: activitySchema, list: 'activities', faultOf }, reading);
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

  /** Both lists, fetched side by side. A subject in both is a buyer. */
  async getBuyersAndNonBuyers(job: string, reading: ResumableRead = {}): Promise<SubjectLists> {
    const [buyers, nonBuyers] = await allSettledOrThrow([
      this.getJobSubjects(job, true, reading),
      this.getJobSubjects(job, false, reading),
    ]);
    return { buyers, nonBuyers };
  }

  /**
   * A subject's first access key; if there is none and `create` is set, a new one. A key cannot be deleted, and the
   * next run would find the older of two. Before each further try it therefore looks for the key that a failed try
   * created.
   *
   * @returns `undefined` if there is none, which counts as failed
   */
  async getOrCreateAccessKey(job: string, subject: Subject, create: boolean): Promise<string | undefined> {
    const path = `/jobs/${segment(job)}/subjects/${segment(subject.uuid)}/accesskeys`;
    const listing = { schema: accessKeySchema, list: 'access_keys', job, subject: subject.uuid } as const;
    const findKey = async (): Promise<string | undefined> => {
      for await (const key of this.#read({ ...listing, path })) return key;
      return undefined;
    };
    const existing = await findKey();
    if (existing !== undefined) {
      this.#tally.count({ access_keys_existing: 1 }, job);
      return existing;
    }
    if (create) {
      const body = { name: displayNameOf(subject) };
      const response = await this.#api.fetchJson({
        method: 'POST',
        path: this.#path(path),
        body,
        job,
        findCompleted: findKey,
      });
      const key = createdKeySchema.safeParse(response).data;
      this.#tally.count(key === undefined ? { access_keys_failed: 1 } : { access_keys_created: 1 }, job);
      return key;
    }
    this.#tally.count({ access_keys_failed: 1 }, job);
    return undefined;
  }

  /** The registered users of a job, by the uuid of their subject: one bulk call, over its pages. */
  async getJobRegisteredUsersMap(job: string, reading: ResumableRead = {}): Promise<Map<string, RegisteredUser>> {
    const path = `/jobs/${segment(job)}/users`;
    const users = new Map<string, RegisteredUser>();
    const listing = { path, schema: jobUserSchema, list: 'job_users', job, slow: true } as const;
    for await (const row of this.#read(listing, reading)) {
      const known = users.get(row.subjectUuid);
      // Of several, always the same one, whatever their order.
      if (known === undefined || row.user.userUuid < known.userUuid) users.set(row.subjectUuid, row.user);
    }
    return users;
  }

  /** The registered users of one subject. */
  getRegisteredUsers(job: string, subject: string): Promise<RegisteredUser[]> {
    const path = `/jobs/${segment(job)}/subjects/${segment(subject)}/users`;
    return this.#readAll({ path, schema: subjectUserSchema, list: 'subject_users', job, subject });
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
      const [lists, users, details] = await allSettledOrThrow([
        // The audience of non-buyers needs both lists: a subject in both is a buyer.
        audience === 'buyers'
          ? this.getJobSubjects(job.uuid, true, reading).then((buyers) => ({ buyers, nonBuyers: [] }))
          : this.getBuyersAndNonBuyers(job.uuid, reading),
        checkRegisteredUsers ? this.getJobRegisteredUsersMap(job.uuid, reading) : new Map<string, RegisteredUser>(),
        this.getJobDetails(job.uuid),
      ]);
      return enrichSubjects({ job, audience, lists, users, details });
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
