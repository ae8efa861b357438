import { existsSync, readdirSync, readFileSync, renameSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type * as z from 'zod';

/** A fault of the state directory that a person must fix. The message says how, and is shown without a stack trace. */
export class StateError extends Error {}

/**
 * Names a damaged file.
 * @param what what is wrong with it; must not contain its content, which may be secret
 * @param advice what a person can do
 */
export const damaged = (file: string, what: string, advice: string, cause?: unknown): StateError =>
  new StateError(`${file} is damaged: ${what}. ${advice}`, { cause });

/**
 * Reads a JSON file of the state directory; undefined if there is none.
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
    // The message of the error quotes the text.
    throw damaged(file, text.trim() === '' ? 'it is empty' : 'it is not JSON', advice);
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) {
    return parsed.data;
  }
  const faults = parsed.error.issues.map(({ path, message }) => [...path, message].join(': '));
  throw damaged(file, faults.join(', '), advice);
};

/** Replaces a file as a whole: after a kill or on a full disk, the old content is still there. */
export const writeStateFile = (file: string, content: string): void => {
  writeFileSync(`${file}.new`, content, { mode: 0o600 });
  renameSync(`${file}.new`, file);
};

/** Cuts what follows the last end of a line: a line whose write was interrupted. */
export const cutUnfinishedLine = (file: string): void => {
  const content = existsSync(file) ? readFileSync(file) : Buffer.alloc(0);
  const end = content.lastIndexOf(10) + 1;
  if (end < content.length) {
    truncateSync(file, end);
  }
};

const startOver = (stateDirectory: string) =>
  `Restore it from a copy, or delete everything in ${stateDirectory} to start over.`;

/** Files and directories that exist after every start that got as far as its servers. */
const filesOfEveryStart = ['ports.json', 'logs', 'executions'];

/**
 * Refuses a state directory in which tables, queues or buckets are missing although an earlier start had them. LevelDB
 * and SQLite would create empty stores instead, and LevelDB would delete what is left of the old one.
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
  // LevelDB keeps its newest writes in a log and does not notice when that is gone.
  if (hasData && !files.some((name) => name.endsWith('.log'))) {
    throw damaged(inState('tables'), 'its .log file is missing', advice);
  }
};

/**
 * The {@link StateError} for an error with which a store, a directory or file of `stateDirectory`, cannot be opened or
 * read.
 */
export const damagedStore = (store: string, stateDirectory: string, cause: unknown): StateError => {
  const what = (cause instanceof Error ? cause.message : String(cause)).replaceAll(/\s+/g, ' ').replace(/\.$/, '');
  return damaged(store, what, startOver(stateDirectory), cause);
};
