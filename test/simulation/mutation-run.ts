import { type ChildProcess, fork } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Mutant } from './mutants';

/** A mutant, and how it was caught. */
export interface Caught {
  readonly mutant: Mutant;
  /** The number of histories until the first violation; undefined if there was none. */
  readonly histories: number | undefined;
  readonly oracles: readonly string[];
}

const root = path.join(__dirname, '../..');
/** What the simulation loads. */
const folders = [
  'emulator',
  'lambdas',
  'lib',
  'local/simulators',
  'samples',
  'shared',
  'test/simulation',
  'test/support',
];

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

/** How mutants are simulated. */
export interface MutationRun {
  readonly mutants: readonly Mutant[];
  /** The module that simulates the histories and sends the result of each, in `test/simulation`. */
  readonly module: string;
  readonly args: readonly string[];
  /** A part of the names of the mutants to run. Empty: all. */
  readonly only: string;
}

interface Simulated {
  readonly result: { readonly violations: readonly { readonly oracle: string }[] };
}

const runUntilCaught = (child: ChildProcess): Promise<Omit<Caught, 'mutant'>> =>
  new Promise((resolve) => {
    let histories = 0;
    child.on('message', (message) => {
      const { violations } = (message as Simulated).result;
      histories += 1;
      if (violations.length === 0) return;
      resolve({ histories, oracles: [...new Set(violations.map(({ oracle }) => oracle))] });
      child.kill('SIGKILL');
    });
    // Broken code may also end the process.
    child.once('exit', (code) =>
      resolve(code === 0 ? { histories: undefined, oracles: [] } : { histories: histories + 1, oracles: ['crash'] }),
    );
  });

/** Simulates histories with one mutant until one fails. */
const runMutant = async (mutant: Mutant, { module, args }: MutationRun): Promise<Caught> => {
  const copy = copyWith(mutant);
  try {
    const child = fork(path.join(copy, 'test/simulation', module), [...args], {
      cwd: copy,
      execArgv: ['--import', 'tsx'],
    });
    return { mutant, ...(await runUntilCaught(child)) };
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
};

/** Simulates mutants, two at a time. */
export const runMutants = async (run: MutationRun, onCaught: (caught: Caught) => void): Promise<readonly Caught[]> => {
  const queue = run.mutants.filter(({ name }) => name.includes(run.only)).values();
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
