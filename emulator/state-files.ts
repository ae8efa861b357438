import { existsSync, readdirSync, readFileSync, renameSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type * as z from 'zod';

/** An error in the state directory that a person must fix. The message explains how; callers show no stack trace. */
export class StateError extends Error {
  override readonly name = 'StateError';
}

/**
 * Creates the error for a damaged file.
 * @param what the problem; must not contain the content of the file, which can be secret
 * @param advice how to fix it
 */
export const damaged = (file: string, what: string, advice: string, cause?: unknown): StateError =>
  new StateError(`${file} is damaged: ${what}. ${advice}`, { cause });

/**
 * Reads a JSON file of the state directory; undefined if it does not exist.
 * @throws {StateError} if the file is not JSON, or not what `schema` describes
 */
export const readStateFile = <T>(file: string, schema: z.ZodType<T>, advice: string): T | undefined =>
  existsSync(file) ? parseState(file, readFileSync(file, 'utf8'), schema, advice) : undefined;

/**
 * Parses JSON text of a state file.
 * @throws {StateError} if the text is not JSON, or not what `schema` describes
 */
export const parseState = <T>(file: string, text: string, schema: z.ZodType<T>, advice: string): T => {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    // The error's own message quotes the text, which can be secret.
    throw damaged(file, text.trim() === '' ? 'it is empty' : 'it is not JSON', advice);
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) {
    return parsed.data;
  }
  const faults = parsed.error.issues.map(({ path, message }) => [...path, message].join(': '));
  throw damaged(file, faults.join(', '), advice);
};

/** Replaces a file atomically: a kill or a full disk leaves the old content. */
export const writeStateFile = (file: string, content: string): void => {
  writeFileSync(`${file}.new`, content, { mode: 0o600 });
  renameSync(`${file}.new`, file);
};

/** Removes an incomplete last line, whose write was interrupted. */
export const cutUnfinishedLine = (file: string): void => {
  const content = existsSync(file) ? readFileSync(file) : Buffer.alloc(0);
  const end = content.lastIndexOf(10) + 1;
  if (end < content.length) {
    truncateSync(file, end);
  }
};

const startOver = (stateDirectory: string) =>
  `Restore it from a copy, or delete everything in ${stateDirectory} to start over.`;

/** Files and directories that exist after every start that started its servers. */
const filesOfEveryStart = ['ports.json', 'logs', 'executions'];

/**
 * Rejects a state directory in which tables, queues or buckets are missing although an earlier start had them. LevelDB
 * and SQLite would create empty stores instead, and LevelDB would delete the rest of the old one.
 * @throws {StateError}
 */
export const refuseMissingStores = (stateDirectory: string): void => {
  const inState = (...names: string[]) => path.join(stateDirectory, ...names);
  const advice = startOver(stateDirectory);
  const isUsed = filesOfEveryStart.some((name) => existsSync(inState(name)));

  const database = inState('queues-and-buckets', 'fauxqs.db');
  if (isUsed && (!existsSync(database) || statSync(database).size === 0)) {
    throw damaged(database, 'it is missing or empty', advice);
  }

  const files = existsSync(inState('tables')) ? readdirSync(inState('tables')) : [];
  if (isUsed && files.length === 0) {
    throw damaged(inState('tables'), 'its files are missing', advice);
  }
  const hasData = isUsed || files.some((name) => name.endsWith('.ldb'));
  if (hasData && !files.includes('CURRENT')) {
    throw damaged(inState('tables', 'CURRENT'), 'it is missing', advice);
  }
  // LevelDB stores its newest writes in a log, and does not notice when that file is missing.
  if (hasData && !files.some((name) => name.endsWith('.log'))) {
    throw damaged(inState('tables'), 'its .log file is missing', advice);
  }
};

/**
 * Converts an error to a {@link StateError}.
 * @param store the directory or file of `stateDirectory` that cannot be opened or read
 */
export const damagedStore = (store: string, stateDirectory: string, cause: unknown): StateError => {
  const what = (cause instanceof Error ? cause.message : String(cause)).replaceAll(/\s+/g, ' ').replace(/\.$/, '');
  return damaged(store, what, startOver(stateDirectory), cause);
};
