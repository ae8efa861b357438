import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { readCsvRecords } from '../../../shared/csv-records';
import { cutoffOf } from '../../../shared/iterable/query';
import { sourceColumns } from '../../../shared/iterable/rows';
import { parseJson } from '../../../shared/json';
import { contactColumns } from '../../../shared/netlife/contacts';
import { createRunFolders, type RunFolder } from '../../../shared/runs/artifacts';
import type { SyncJobName } from '../../../shared/runs/jobs';
import { createRunRepository } from '../../../shared/runs/repository';
import type { Run } from '../../../shared/runs/run';
import type { StageConnection } from '../stage-connection';
import { lookUpCustomer } from './customer-look-up';
import { type Explanation, type Reason, when } from './explanation';

/** Number of runs that are searched, the newest first. */
const maxRuns = 3;

const iterableInputSchema = z.object({
  plan: z.string(),
  pages: z.array(z.string()),
  days: z.number(),
  limit: z.number(),
});
const netlifeInputSchema = z.object({
  portals: z.array(z.string()).default([]),
  audience: z.string(),
  contact_filter: z.string(),
  registered_only: z.boolean(),
  job_ids: z.array(z.string()).default([]),
});
const portalStatsSchema = z.object({
  failed_jobs: z.array(z.unknown()).default([]),
  jobs_not_on_sale: z.array(z.string()).default([]),
});
const rejectedSchema = z.object({ uuid: z.string(), list: z.string(), reason: z.string() });

/** What one run says about an id. */
interface Finding {
  readonly isThere: boolean;
  /** A few words. */
  readonly summary: string;
  readonly details?: string;
}

/** Searches the reports of the newest sync runs. Reads each file as a stream, and returns no personal data. */
export const createRunExplainer = (stage: StageConnection, now: () => number) => {
  const runs = createRunRepository(
    DynamoDBDocumentClient.from(stage.dynamodb),
    stage.syncRunsTableName,
    stage.operationsTableName,
  );
  const openFolder = createRunFolders(stage.s3, stage.artifactsBucketName);

  /** The newest runs of a job that have ended with reports. */
  const newestRuns = async (job: SyncJobName): Promise<Run[]> => {
    const found: Run[] = [];
    for await (const run of runs.list()) if (job in run.input && run.reports !== undefined) found.push(run);
    return found.sort((a, b) => b.started_at.localeCompare(a.started_at)).slice(0, maxRuns);
  };

  const pathsOf = ({ run_id, reports = [] }: Run): string[] => {
    const root = openFolder(run_id).keyOf('');
    return reports.flatMap((key) => (key.startsWith(root) ? key.slice(root.length) : []));
  };

  const endOf = (run: Run): Date => new Date(run.finished_at ?? run.started_at);
  const endedAt = (run: Run): string => when(endOf(run), now());

  const findRecord = async (
    folder: RunFolder,
    path: string | undefined,
    column: number,
    value: string,
  ): Promise<readonly string[] | undefined> => {
    if (path === undefined) return undefined;
    for await (const record of readCsvRecords(folder.readBytes(path))) if (record[column] === value) return record;
    return undefined;
  };

  const customerIn = async (run: Run, customerId: string): Promise<Finding> => {
    const folder = openFolder(run.run_id);
    const paths = pathsOf(run);
    const pathOf = (name: RegExp): string | undefined => paths.find((path) => name.test(path));
    const idColumn = sourceColumns.indexOf('id');
    const find = (name: RegExp) => findRecord(folder, pathOf(name), idColumn, customerId);

    const failed = await find(/^iterable\/failed\.csv$/);
    if (failed !== undefined) {
      const [call = '', code = ''] = failed.slice(sourceColumns.length);
      return { isThere: false, summary: `refused ${endedAt(run)}: Iterable responded to ${call} with ${code}` };
    }
    const rejected = await find(/^iterable\/rejected\.csv$/);
    if (rejected !== undefined) {
      return { isThere: false, summary: `rejected ${endedAt(run)}: ${rejected[sourceColumns.length] ?? ''}` };
    }
    if ((await find(/^iterable\/query_results_/)) !== undefined) {
      if (run.input.dry_run === true) return { isThere: false, summary: 'not sent: the run was a dry run' };
      const isComplete = run.status === 'SUCCEEDED' || run.status === 'PARTIAL';
      return isComplete
        ? { isThere: true, summary: `sent ${endedAt(run)}` }
        : { isThere: false, summary: 'extracted, but the run failed: see its reports' };
    }
    return { isThere: false, summary: `not sent: ${await selectionOf(run, customerId)}` };
  };

  /** Why the query of a run did not select a customer, as far as the database shows it now. */
  const selectionOf = async ({ input, started_at }: Run, id: string): Promise<string> => {
    const { data } = iterableInputSchema.safeParse(input.iterable);
    if (data === undefined) return 'the query did not select it';
    const pages = data.pages.join(' or ');
    const found = await lookUpCustomer(stage, { id, pages: data.pages });
    if (found !== undefined && 'known' in found) {
      if (!found.known) return 'the database has no such customer';
      if (found.plan !== data.plan) return found.plan === null ? 'it has no plan' : `plan is ${found.plan}`;
      if (found.viewed_at === null) return `it has no view of ${pages}`;
      if (found.viewed_at < cutoffOf(Date.parse(started_at), data.days)) {
        return `its last view of ${pages} was on ${found.viewed_at.slice(0, 10)}`;
      }
    }
    const limit = data.limit > 0 ? `, at most ${data.limit} users` : '';
    const fault =
      found !== undefined && 'error_code' in found ? `; the database cannot be read: ${found.error_code}` : '';
    return (
      `the query selects customers of the plan ${data.plan} with a view of ${pages} ` +
      `in the last ${data.days} days${limit}, and did not select this one${fault}`
    );
  };

  const subjectIn = async (run: Run, uuid: string): Promise<Finding> => {
    const folder = openFolder(run.run_id);
    const paths = pathsOf(run);
    const hints: string[] = [];
    for (const path of paths.filter((one) => /^netlife\/[^/]+\/contacts_/.test(one))) {
      const record = await findRecord(folder, path, contactColumns.indexOf('subject_uuid'), uuid);
      if (record === undefined) continue;
      const [portal = '', job = ''] = record;
      return { isThere: true, summary: `in the contacts file of ${portal}, from job ${job}` };
    }
    for (const path of paths.filter((one) => one.endsWith('/rejected.ndjson'))) {
      for (const line of ((await folder.readText(path)) ?? '').split('\n')) {
        const row = rejectedSchema.safeParse(parseJson(line)).data;
        if (row?.uuid !== uuid) continue;
        return { isThere: false, summary: `rejected ${endedAt(run)} from the list ${row.list}: ${row.reason}` };
      }
    }
    for (const path of paths.filter((one) => one.endsWith('/stats.json'))) {
      const stats = portalStatsSchema.safeParse(parseJson((await folder.readText(path)) ?? '')).data;
      for (const job of stats?.jobs_not_on_sale ?? []) hints.push(`job ${job} is not on sale`);
      const failed = stats?.failed_jobs.length ?? 0;
      if (failed > 0) hints.push(`${failed} job${failed === 1 ? '' : 's'} failed in ${path.split('/')[1]}`);
    }
    const [hint, ...others] = new Set(hints);
    if (hint === undefined) return { isThere: false, summary: `in no contacts file: ${filtersOf(run)}` };
    return { isThere: false, summary: hint, details: ['in no contacts file', filtersOf(run), ...others].join('; ') };
  };

  const explain = async (
    job: SyncJobName,
    about: Pick<Explanation, 'kind' | 'id' | 'destination'>,
    find: (run: Run) => Promise<Finding>,
  ): Promise<Explanation> => {
    const reasons: Reason[] = [];
    let answer: Explanation['answer'] = 'unknown';
    let headline = `no run of ${job} with reports is kept`;
    for (const run of await newestRuns(job)) {
      const { isThere, summary, details } = await find(run);
      if (reasons.length === 0 || isThere) {
        answer = isThere ? 'yes' : 'no';
        headline = summary;
      }
      reasons.push({
        at: endOf(run),
        text: `run ${run.run_id}: ${[summary, details ?? []].flat().join('; ')}`,
        command: `sync get ${run.run_id}`,
      });
      // What an older run did no longer matters.
      if (isThere) break;
    }
    if (reasons.length === 0) reasons.push({ text: 'the runs that are kept', command: 'sync list' });
    return { ...about, answer, summary: headline, reasons };
  };

  return {
    /** Whether Iterable has a customer, and why, or why not. */
    customer: (id: string): Promise<Explanation> =>
      explain('iterable', { kind: 'customer', id, destination: 'Iterable' }, (run) => customerIn(run, id)),

    /** Whether a subject of Netlife is in a contacts file, and why, or why not. */
    subject: (id: string): Promise<Explanation> =>
      explain('netlife', { kind: 'subject', id, destination: 'the contacts file' }, (run) => subjectIn(run, id)),
  };
};

const filtersOf = ({ input }: Run): string => {
  const { data } = netlifeInputSchema.safeParse(input.netlife);
  if (data === undefined) return 'the run did not select it';
  const filters = [
    ...(data.audience === 'both' ? [] : [`only ${data.audience}`]),
    ...(data.contact_filter === 'any' ? [] : [`only ${data.contact_filter}`]),
    ...(data.registered_only ? ['only registered users'] : []),
    ...(data.job_ids.length > 0
      ? [`only ${data.job_ids.length} given job${data.job_ids.length === 1 ? '' : 's'}`]
      : []),
  ];
  return filters.length === 0 ? 'no job that the run collected has it' : `the run takes ${filters.join(', ')}`;
};
