import { type ChildProcess, fork } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { HistoryOptions } from './history';
import { type Mutant, mutants } from './mutants';
import type { Result } from './simulate';

/** A mutant, and how it was caught. */
export interface Caught {
  readonly mutant: Mutant;
  /** The number of histories until the first violation; undefined if there was none. */
  readonly histories: number | undefined;
  readonly oracles: readonly string[];
}

const root = path.join(__dirname, '../..');
/** What the simulation loads. */
const folders = ['lambdas', 'lib', 'local/simulators', 'samples', 'shared', 'test/simulation', 'test/support'];

/**
 * The file of a mutant with its replacements.
 *
 * @throws if the file has changed, so that there is not one place for each
 */
export const mutate = ({ name, file, find, replace, also }: Mutant): string =>
  [{ find, replace }, ...(also ? [also] : [])].reduce(
    (source, replacement) => {
      const parts = source.split(replacement.find);
      if (parts.length !== 2) throw new Error(`${file} does not have one place for the mutant "${name}"`);
      return parts.join(replacement.replace);
    },
    readFileSync(path.join(root, file), 'utf8'),
  );

const copyWith = (mutant: Mutant): string => {
  const copy = mkdtempSync(path.join(tmpdir(), 'mutant-'));
  for (const folder of [...folders, 'package.json', 'tsconfig.json']) {
    cpSync(path.join(root, folder), path.join(copy, folder), { recursive: true });
  }
  symlinkSync(path.join(root, 'node_modules'), path.join(copy, 'node_modules'));
  writeFileSync(path.join(copy, mutant.file), mutate(mutant));
  return copy;
};

const runUntilCaught = (child: ChildProcess): Promise<Omit<Caught, 'mutant'>> =>
  new Promise((resolve) => {
    let histories = 0;
    child.on('message', (message) => {
      const { violations } = (message as { readonly result: Result }).result;
      histories += 1;
      if (violations.length === 0) return;
      resolve({ histories, oracles: [...new Set(violations.map(({ oracle }) => oracle))] });
      child.kill('SIGKILL');
    });
    child.once('exit', () => resolve({ histories: undefined, oracles: [] }));
  });

/** Simulates the histories of `run` with one mutant until one fails. */
const runMutant = async (mutant: Mutant, run: HistoryOptions): Promise<Caught> => {
  const copy = copyWith(mutant);
  try {
    const child = fork(path.join(copy, 'test/simulation/history-process.ts'), [JSON.stringify(run), '0', '1'], {
      cwd: copy,
      execArgv: ['--import', 'tsx'],
    });
    return { mutant, ...(await runUntilCaught(child)) };
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
};

/**
 * Simulates mutants, two at a time.
 *
 * @param only a part of the names of the mutants. Default: all
 */
export const runMutants = async (
  run: HistoryOptions,
  only: string,
  onCaught: (caught: Caught) => void,
): Promise<readonly Caught[]> => {
  const queue = mutants.filter(({ name }) => name.includes(only)).values();
  const all: Caught[] = [];
  const work = async (): Promise<void> => {
    for (const mutant of queue) {
      const caught = await runMutant(mutant, run);
      all.push(caught);
      onCaught(caught);
    }
  };
  await Promise.all([work(), work()]);
  return all;
};
