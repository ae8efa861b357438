import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import * as z from 'zod';
import { parseJson } from '../../shared/json';
import { fileStamp } from '../../shared/runs/files';
import { InvalidInput } from '../../shared/runs/input';
import { type SyncJobName, syncJobNames } from '../../shared/runs/jobs';
import type { SyncService } from '../services/sync-runs';
import { UsageError } from './input';

/** The options of `sync start`. */
export interface StartRequest {
  /** Runs only this job, even if the file has others. */
  readonly job?: SyncJobName | undefined;
  /** A file with the input as JSON. */
  readonly input?: string | undefined;
  /** Overrides the file's. */
  readonly runId?: string | undefined;
  readonly dryRun: boolean;
}

const objectSchema = z.record(z.string(), z.unknown());

/**
 * Builds the input of a run from a file and the options, and checks it before anything starts. Adds no defaults: the
 * run does that.
 *
 * @throws {UsageError} that lists every fault
 */
export const readStartInput = async (
  { job, input: file, runId, dryRun }: StartRequest,
  checkInput: SyncService['checkInput'],
  nowMs: number,
): Promise<{ readonly runId: string; readonly input: Readonly<Record<string, unknown>> }> => {
  const parsed = file === undefined ? {} : await readJsonFile(file);
  const given = objectSchema.safeParse(parsed).data;
  const options = { ...(runId !== undefined && { run_id: runId }), ...(dryRun && { dry_run: true }) };
  try {
    const { run_id } = checkInput(given ? { ...given, ...options } : parsed, newRunId(nowMs));
    const input: Record<string, unknown> = { ...given, ...options, run_id };
    return { runId: run_id, input: job === undefined ? input : withOneJob(input, job, syncJobNames) };
  } catch (thrown) {
    if (!(thrown instanceof InvalidInput)) throw thrown;
    const source = file === undefined ? '' : `--input ${file}: `;
    throw new UsageError(thrown.faults.map((fault) => `${source}${fault}`));
  }
};

/** The input of a run without the keys of all jobs but one, which gets its key if it has none. */
export const withOneJob = (
  input: Readonly<Record<string, unknown>>,
  job: string,
  allJobs: readonly string[],
): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries({ [job]: {}, ...input }).filter(([key]) => key === job || !allJobs.includes(key)));

const readJsonFile = async (file: string): Promise<unknown> => {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new UsageError([`--input ${file} cannot be read (${error.code})`]);
  });
  const parsed = parseJson(text);
  if (parsed === undefined) throw new UsageError([`--input ${file} is not JSON`]);
  return parsed;
};

/** A unique ID with the time, for a run that an operator starts. */
const newRunId = (nowMs: number): string =>
  `manual-${fileStamp(new Date(nowMs).toISOString())}-${randomBytes(2).toString('hex')}`;
