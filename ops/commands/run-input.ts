import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import * as z from 'zod';
import { PipelineError } from '../../shared/errors';
import { readRowsFile } from '../../shared/iterable/rows-file';
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
  /** A file with rows for Iterable as CSV. */
  readonly rows?: string | undefined;
  /** Overrides the file's. */
  readonly runId?: string | undefined;
  readonly dryRun: boolean;
  /** Waits for another run that uses the same limits. */
  readonly wait: boolean;
}

/** A run to start. */
export interface RunToStart {
  readonly runId: string;
  readonly input: Readonly<Record<string, unknown>>;
  /** The rows that it sends, as CSV; undefined if it reads them from the database. */
  readonly rows: string | undefined;
}

const objectSchema = z.record(z.string(), z.unknown());

/**
 * Builds the input of a run from a file and the options, and checks it before anything starts. Adds no defaults: the
 * run does that.
 *
 * @throws {UsageError} that lists every fault
 */
export const readStartInput = async (
  { job, input: file, rows: rowsFile, runId, dryRun, wait }: StartRequest,
  checkInput: SyncService['checkInput'],
  nowMs: number,
): Promise<RunToStart> => {
  const parsed = file === undefined ? {} : await readJsonFile(file);
  const rows = rowsFile === undefined ? undefined : await readRows(rowsFile);
  const given = objectSchema.safeParse(parsed).data;
  const onlyJob = rows === undefined ? job : 'iterable';
  const options = {
    ...(rows !== undefined && {
      iterable: { ...objectSchema.safeParse(given?.iterable).data, source: 'rows' },
    }),
    ...(runId !== undefined && { run_id: runId }),
    ...(dryRun && { dry_run: true }),
    ...(wait && { after: 'wait' }),
  };
  try {
    const { run_id } = checkInput(given ? { ...given, ...options } : parsed, newRunId(nowMs));
    const input: Record<string, unknown> = { ...given, ...options, run_id };
    return { runId: run_id, input: onlyJob === undefined ? input : withOneJob(input, onlyJob, syncJobNames), rows };
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

const readBytes = (option: string, file: string): Promise<Buffer> =>
  readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError([`${option} ${file} cannot be read (${error.code})`]);
  });

/** Checks each record of a file of rows in the same way as the run, which rejects single rows that are not valid. */
const readRows = async (file: string): Promise<string> => {
  const bytes = await readBytes('--rows', file);
  async function* pieces() {
    yield bytes;
  }
  let rows = 0;
  try {
    for await (const _row of readRowsFile(pieces())) rows += 1;
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    throw new UsageError([`--rows ${file}: ${error.message}`]);
  }
  if (rows === 0) throw new UsageError([`--rows ${file} has no rows`]);
  return bytes.toString('utf8');
};

const readJsonFile = async (file: string): Promise<unknown> => {
  const parsed = parseJson((await readBytes('--input', file)).toString('utf8'));
  if (parsed === undefined) throw new UsageError([`--input ${file} is not JSON`]);
  return parsed;
};

/** A unique ID with the time, for a run that an operator starts. */
export const newRunId = (nowMs: number): string =>
  `manual-${fileStamp(new Date(nowMs).toISOString())}-${randomBytes(2).toString('hex')}`;
