import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import * as z from 'zod';
import { parseJson } from '../../shared/json';
import { fileStamp } from '../../shared/runs/files';
import { InvalidInput } from '../../shared/runs/input';
import type { SyncService } from '../services/sync-runs';
import { UsageError } from './input';

/** The jobs of a run, which are keys of its input. */
export const syncJobs = ['netlife', 'iterable'] as const;

/** What `sync start` was told of the run that it starts. */
export interface StartRequest {
  /** This job alone, whatever else the file names. */
  readonly job?: (typeof syncJobs)[number] | undefined;
  /** A file with the input as JSON. */
  readonly input?: string | undefined;
  /** Outranks the file's. */
  readonly runId?: string | undefined;
  readonly dryRun: boolean;
}

const objectSchema = z.record(z.string(), z.unknown());

/**
 * Composes the input of a run from a file and the options, and checks it before anything is started. Defaults stay out:
 * the run fills them in itself.
 *
 * @throws {UsageError} naming every fault of the file
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
    if (job === undefined) return { runId: run_id, input };
    const other = syncJobs.find((one) => one !== job);
    const chosen = Object.entries({ [job]: {}, ...input }).filter(([key]) => key !== other);
    return { runId: run_id, input: Object.fromEntries(chosen) };
  } catch (thrown) {
    if (thrown instanceof InvalidInput) throw new UsageError(thrown.faults.map((fault) => `--input ${file}: ${fault}`));
    throw thrown;
  }
};

const readJsonFile = async (file: string): Promise<unknown> => {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new UsageError([`--input ${file} cannot be read (${error.code})`]);
  });
  const parsed = parseJson(text);
  if (parsed === undefined) throw new UsageError([`--input ${file} is not JSON`]);
  return parsed;
};

/** Says that a person started it, and when; two at once do not meet. */
const newRunId = (nowMs: number): string =>
  `manual-${fileStamp(new Date(nowMs).toISOString())}-${randomBytes(2).toString('hex')}`;
