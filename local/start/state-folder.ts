import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { damaged, readStateFile, StateError } from '../../emulator/state-files';
import { lockFile } from './file-lock';

/** The state folder of a start, which no other process can use until it is released. */
export interface StateFolder {
  release(): void;
}

const lockName = 'lock';
/** Each start leaves some of these behind. `deployed` is what `npm run test:deployed` leaves. */
const ownNames = [lockName, 'secrets.json', 'ports.json', 'tables', 'queues-and-buckets', 'day.json', 'deployed'];
const hiddenNames = ['.gitignore', '.gitkeep', '.DS_Store'];

/**
 * Reserves the state folder for this process, and makes it private: it holds credentials and personal data.
 *
 * @param fresh deletes what earlier starts left
 * @throws {StateError} if another start uses the folder, or it is not a state folder. Nothing is written in these cases.
 */
export const openStateFolder = (folder: string, fresh: boolean): StateFolder => {
  refuseOtherFiles(folder);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const release = lock(folder);
  makePrivate(folder);
  // Left behind by a process that was killed.
  rmSync(path.join(folder, 'endpoints.json'), { force: true });
  if (fresh) {
    for (const name of readdirSync(folder).filter((entry) => entry !== lockName)) {
      rmSync(path.join(folder, name), { recursive: true, force: true });
    }
  }
  return { release };
};

/** `--fresh` deletes everything in the folder, and a start changes the permissions of everything in it. */
const refuseOtherFiles = (folder: string): void => {
  if (!existsSync(folder)) return;
  if (!lstatSync(folder).isDirectory() && !lstatSync(folder).isSymbolicLink()) {
    throw new StateError(`${folder} is not a folder: name another one with --state.`);
  }
  const names = readdirSync(folder).filter((name) => !hiddenNames.includes(name));
  if (names.length > 0 && !names.some((name) => ownNames.includes(name))) {
    throw new StateError(
      `${folder} contains files that are not from a start: name an empty or new folder with --state.`,
    );
  }
};

/** Locks the folder. */
const lock = (folder: string): (() => void) => {
  const file = path.join(folder, lockName);
  let release: (() => void) | undefined;
  try {
    release = lockFile(file, 0);
  } catch (error) {
    throw damaged(file, String(error), 'Delete it.', error);
  }
  if (release !== undefined) return release;
  throw new StateError(
    `Another npm start${ownerOf(folder)} uses ${folder}: stop it first, or name another folder with --state.`,
  );
};

/** Returns ` (process 123)`, or an empty text while the other process is still starting. */
const ownerOf = (folder: string): string => {
  try {
    const running = readStateFile(path.join(folder, 'endpoints.json'), z.object({ pid: z.int() }), '');
    return running === undefined ? '' : ` (process ${running.pid})`;
  } catch {
    return '';
  }
};

/** Removes the permissions of group and others from everything in the folder. */
const makePrivate = (entry: string): void => {
  const status = lstatSync(entry);
  if (status.isSymbolicLink()) return;
  if ((status.mode & 0o077) !== 0) chmodSync(entry, status.mode & 0o700);
  if (status.isDirectory()) for (const name of readdirSync(entry)) makePrivate(path.join(entry, name));
};
