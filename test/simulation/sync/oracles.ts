import * as z from 'zod';
import { readRow, toEvent, toProfile } from '../../../shared/iterable/rows';
import type { StoredObject } from '../models/buckets';
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

const countersSchema = z.object({
  activities_found: z.number(),
  jobs_processed: z.number(),
  subjects_total: z.number(),
  subjects_buyers: z.number(),
  registered_users_found: z.number(),
  rows_rejected: z.number(),
  contacts_written: z.number(),
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

/** The counts of a run that ended add up. */
export const judgeCounts = (runId: string, { iterable }: Summary, isFull: boolean, report: Report): void => {
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
  if (successful + partial_failures + total_failures !== total_users)
    report('counts', `${runId}: ${JSON.stringify(iterable.counts)}`);
  if (added === undefined || isFull) return;
  if (added + changed + clearing !== total_users) report('counts', `${runId}: ${JSON.stringify(iterable.counts)}`);
};
