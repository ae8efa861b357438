/**
 * Compares users with those of an earlier run, like the Lambda that extracts them, and sends the changed ones if there
 * is a simulator. The rows are made on demand, and the files are on the disk.
 */
import * as z from 'zod';
import { createComparison } from '../../lambdas/iterable-extract/compare-users';
import { writeQueryResults } from '../../lambdas/iterable-extract/query-results';
import { createIterableClient } from '../../shared/iterable/client';
import { createDigests } from '../../shared/iterable/digests';
import { toLine, usersPerPart } from '../../shared/iterable/parts';
import { pushUsers } from '../../shared/iterable/push';
import { type IterableUser, readRow } from '../../shared/iterable/rows';
import { createSentUsers } from '../../shared/iterable/sent-users';
import { createUserParts } from '../../shared/iterable/user-parts';
import type { RunFolder } from '../../shared/runs/artifacts';
import { keepHeapSmall } from '../../shared/runs/heap';
import { diskFolder } from './disk-folder';
import { madeRow } from './made-row';
import { runProgram } from './program';
import { startUsage } from './usage';

const optionsSchema = z.object({
  users: z.number(),
  /** Every n-th user differs from the earlier run; absent in the first run. */
  changedEach: z.number().optional(),
  /** Folder of this run, and of the earlier one. */
  folder: z.string(),
  base: z.string().optional(),
  apiKey: z.string(),
  /** Address of the simulator; absent: nothing is sent. */
  baseUrl: z.string().optional(),
});
export type IterableChangesOptions = z.output<typeof optionsSchema>;

const rowsRoot = 'iterable/parts/rows/';

/** A folder whose parts of rows are made when they are read. */
const withRows = (folder: RunFolder, { users, changedEach }: IterableChangesOptions): RunFolder => {
  const names = Array.from({ length: Math.ceil(users / usersPerPart) }, (_, part) => String(part).padStart(6, '0'));
  const rowsOf = (part: number): string => {
    const lines: string[] = [];
    for (let id = part * usersPerPart + 1; id <= Math.min(users, (part + 1) * usersPerPart); id++) {
      const isChanged = changedEach !== undefined && id % changedEach === 0;
      lines.push(toLine(madeRow(id, isChanged ? { last_name: 'Changed' } : {})));
    }
    return lines.join('');
  };
  return {
    ...folder,
    list: async (prefix) =>
      prefix === rowsRoot ? new Set(names.map((name) => `${rowsRoot}${name}.ndjson`)) : folder.list(prefix),
    readBytes: async function* (path) {
      if (path.startsWith(rowsRoot)) yield Buffer.from(rowsOf(Number.parseInt(path.slice(rowsRoot.length), 10)));
      else yield* folder.readBytes(path);
    },
  };
};

/** Sends the users in the parts to send. @returns how many were accepted */
const send = async (
  parts: ReturnType<typeof createUserParts>,
  { apiKey, baseUrl = '' }: IterableChangesOptions,
): Promise<number> => {
  const credential = { api_key: apiKey };
  const client = createIterableClient({
    baseUrl,
    credential: { get: async () => credential, refresh: async () => credential },
    useJwt: false,
    now: Date.now,
  });
  const users = async function* (): AsyncGenerator<IterableUser> {
    for (const path of await parts.listToSend()) {
      for (const row of await parts.readRows(path)) {
        const read = readRow(row);
        if ('user' in read) yield read.user;
      }
    }
  };
  const context = { deadlineMs: Number.POSITIVE_INFINITY, onRetry: () => undefined };
  let succeeded = 0;
  for await (const { record } of pushUsers(users(), { mode: 'bulk', client, context, now: Date.now })) {
    if (record.overall_success) succeeded += 1;
  }
  await client.close();
  return succeeded;
};

runProgram(optionsSchema, async (options) => {
  keepHeapSmall();
  const folder = withRows(diskFolder(options.folder), options);
  const base = options.base === undefined ? undefined : diskFolder(options.base);
  const parts = createUserParts(folder);
  const digests = createDigests(options.apiKey);
  const usage = startUsage();
  const extracted = await writeQueryResults({
    folder,
    parts,
    stamp: '20260102_030405',
    isTimeUp: () => false,
    comparison: {
      comparison: createComparison({ parts, folder, base, digests, full: false, isLimited: false }),
      baseParts: base === undefined ? 0 : await createSentUsers(base).countParts(),
    },
  });
  if (extracted === undefined) throw new Error('The time was up');
  const used = usage();
  await parts.writeExtracted(extracted);
  const succeeded = options.baseUrl === undefined ? 0 : await send(parts, options);
  return { ...used, succeeded, compared: extracted.compared };
});
