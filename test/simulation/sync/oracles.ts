import * as z from 'zod';
import { readRow, toEvent, toProfile } from '../../../shared/iterable/rows';
import { portalPaths } from '../../../shared/netlife/portal-parts';
import type { StoredObject } from '../models/buckets';
import { type ChangingContent, phoneOf, valuesBetween } from './contents';
import type { Database } from './database';
import type { Iterable } from './iterable';
import { type Netlife, netlifeCallsPerSecond } from './netlife';

/** What is wrong with the runs of a history. */
export interface SyncViolation {
  readonly oracle: 'limit' | 'again' | 'stale' | 'files' | 'keys' | 'counts' | 'lease' | 'called' | 'open';
  readonly about: string;
}

type Report = (oracle: SyncViolation['oracle'], about: string) => void;
type Objects = ReadonlyMap<string, StoredObject>;

const textOf = (objects: Objects, key: string): string =>
  new TextDecoder().decode(objects.get(key)?.content.bytes ?? new Uint8Array());

/** Vendors' limits hold in every second, over all runs; no subject got a second access key. */
export const judgeVendors = (netlife: Netlife, iterable: Iterable, report: Report): void => {
  for (const [portal, { mostCalls, doubledKeys }] of netlife) {
    const most = mostCalls();
    if (most > netlifeCallsPerSecond) report('limit', `${most} calls to ${portal} in a second`);
    for (const id of doubledKeys()) report('keys', `${portal}: ${id} has two created access keys`);
  }
  for (const { path, most, limit } of iterable.mostCalls()) {
    if (most > limit) report('limit', `${most} calls of ${path} in a second`);
  }
};

/** Two workers must not call the same vendor within this time, so that its limit holds in every sliding second. */
const apartMs = 1_000;

/**
 * Watches that only one worker calls a vendor. Not for histories with frozen processes, whose next request may already be
 * on its way.
 */
export const createApartOracle = (now: () => number, report: Report) => {
  const newest = new Map<string, { readonly worker: string; readonly atMs: number }>();
  return {
    onCall: (vendor: string, worker: string): void => {
      const before = newest.get(vendor);
      newest.set(vendor, { worker, atMs: now() });
      if (before === undefined || before.worker === worker || now() - before.atMs >= apartMs) return;
      report('limit', `${vendor} is called by ${before.worker} and ${worker} within a second`);
    },
  };
};

const lastPartKey = /^runs\/([^/]+)\/netlife\/([^/]+)\/parts\/job\/([^/]+)\/\d+-last\.json$/;

/** Watches that a run makes no call for a job of Netlife whose last part it has written. */
export const createJobOracle = (report: Report) => {
  const written = new Set<string>();
  const nameOf = (...parts: readonly string[]): string => parts.join(' ');
  return {
    onWritten: (key: string): void => {
      const [, runId = '', portal = '', job = ''] = lastPartKey.exec(key) ?? [];
      written.add(nameOf(runId, portal, job));
    },
    onCall: (runId: string, portal: string, job: string): void => {
      if (written.has(nameOf(runId, portal, job))) report('again', `${runId} calls ${portal} for ${job} again`);
    },
  };
};

const resultSchema = z.object({ record: z.object({ email: z.string(), overall_success: z.boolean() }) });
const resultsKey = /^runs\/([^/]+)\/iterable\/parts\/results\//;

/** Watches that no user is sent again by a run that has written the part of the user's results. */
export const createAgainOracle = (report: Report) => {
  const written = new Map<string, Set<string>>();
  return {
    onWritten: (key: string, body: Uint8Array): void => {
      const [, runId] = resultsKey.exec(key) ?? [];
      if (runId === undefined) return;
      const ofRun = written.get(runId) ?? new Set();
      written.set(runId, ofRun);
      for (const line of new TextDecoder().decode(body).split('\n').filter(Boolean)) {
        ofRun.add(resultSchema.parse(JSON.parse(line)).record.email);
      }
    },
    onSent: (runId: string, emails: readonly string[]): void => {
      const again = emails.find((email) => written.get(runId)?.has(email));
      if (again !== undefined) report('again', `${runId} sends ${again} again, whose results are written`);
    },
  };
};

/** Iterable has the newest state of every user of the query. */
export const judgeUsers = (database: Database, iterable: Iterable, report: Report): void => {
  for (const row of database.customers()) {
    if (row.plan_type !== 'pro') continue;
    const read = readRow(row);
    if (!('user' in read)) continue;
    const { email, dataFields } = toProfile(read.user);
    const stored = iterable.profileOf(email) ?? {};
    const differs = Object.entries(dataFields).filter(([field, value]) => stored[field] !== value);
    if (differs.length > 0)
      report('stale', `${email}: ${JSON.stringify(stored)} instead of ${JSON.stringify(dataFields)}`);
    const { id } = toEvent(read.user);
    if (!iterable.hasEvent(email, id)) report('stale', `${email}: no event ${id}`);
  }
};

/** The files of a portal, by name without the time of the run. */
export const filesOf = (objects: Objects, runId: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    [...objects.keys()]
      .filter((key) => key.startsWith(`runs/${runId}/netlife/`) && key.endsWith('.csv'))
      .map((key) => [key.slice(`runs/${runId}/`.length).replace(/\d{8}_\d{6}/, 'TIME'), textOf(objects, key)] as const),
  );

/** The time and the results of a run that may have seen contents change. */
export interface ReadingRun {
  readonly runId: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly files: Readonly<Record<string, string>>;
}

/**
 * What a run found of the contents that change, as far as they had this value at some time during the run. If the run
 * found something else, one of the values that it may have found: its files then differ from those of a world with it.
 */
export const foundBy = (
  { runId, fromMs, toMs, files }: ReadingRun,
  contents: readonly ChangingContent[],
  { objects, netlife }: { readonly objects: Objects; readonly netlife: Netlife },
): readonly ChangingContent[] =>
  contents.map((content) => {
    const { portal, kind } = content;
    const uuid = netlife.get(portal)?.uuidOf(content) ?? undefined;
    const contacts = Object.entries(files).find(([name]) => name.startsWith(`netlife/${portal}/`))?.[1] ?? '';
    const listed = textOf(objects, `runs/${runId}/${portalPaths(portal).jobs}`);
    const has = (text: string): boolean => uuid !== undefined && text.includes(uuid);
    const isFound = (value: number): boolean => {
      if (kind === 'phone') return contacts.includes(`+1 ${phoneOf(content, value)}`);
      return (value === 1) === has(kind === 'activity' ? listed : contacts);
    };
    const possible = valuesBetween(content, fromMs, toMs);
    const value = possible.find(isFound) ?? possible[0] ?? 0;
    return { ...content, values: [{ fromMs: 0, value }] };
  });

const countersSchema = z.object({
  activities_found: z.number(),
  jobs_processed: z.number(),
  subjects_total: z.number(),
  subjects_buyers: z.number(),
  registered_users_found: z.number(),
  rows_rejected: z.number(),
  contacts_written: z.number(),
  access_keys_failed: z.number(),
});
const summarySchema = z.object({
  status: z.string(),
  netlife: z.object({ status: z.string(), statistics: countersSchema }).optional(),
  iterable: z
    .object({
      status: z.string(),
      counts: z
        .object({
          total_users: z.number(),
          successful: z.number(),
          partial_failures: z.number(),
          total_failures: z.number(),
          added: z.number().optional(),
          changed: z.number().optional(),
          unchanged: z.number().optional(),
          clearing: z.number().optional(),
        })
        .optional(),
    })
    .optional(),
});

/** The summary of a run; undefined if it has none. */
export const summaryOf = (objects: Objects, runId: string) => {
  const text = textOf(objects, `runs/${runId}/summary.json`);
  return text === '' ? undefined : summarySchema.parse(JSON.parse(text));
};
export type Summary = NonNullable<ReturnType<typeof summaryOf>>;

/** What `judgeCounts` has to know about the input and the history of a run. */
export interface CountedRun {
  readonly runId: string;
  readonly isFull: boolean;
  /** Whether no call could fail. */
  readonly isFaultless: boolean;
}

/** The counts of a run that ended add up, and its status follows from them. */
export const judgeCounts = (
  { iterable }: Summary,
  { runId, isFull, isFaultless }: CountedRun,
  report: Report,
): void => {
  if (iterable?.counts === undefined || iterable.status === 'FAILED') return;
  const {
    total_users,
    successful,
    partial_failures,
    total_failures,
    added,
    changed = 0,
    clearing = 0,
  } = iterable.counts;
  const failed = partial_failures + total_failures;
  if (successful + failed !== total_users || (isFaultless && failed > 0))
    report('counts', `${runId}: ${JSON.stringify(iterable.counts)}`);
  if (failed === 0 && iterable.status !== 'SUCCEEDED')
    report('counts', `${runId} is ${iterable.status}, no user failed`);
  if (added === undefined || isFull) return;
  if (added + changed + clearing !== total_users) report('counts', `${runId}: ${JSON.stringify(iterable.counts)}`);
};
