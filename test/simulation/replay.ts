import { type ListOf, shrink } from './shrink';

/** Time limit of shrinking a history that fails. */
const maxShrinkMs = 120_000;

interface Violation {
  readonly oracle: string;
  readonly about: string;
}

/** How histories of a kind are simulated. */
export interface Simulation<History> {
  readonly simulate: (
    history: History,
    options: { readonly keepsTrace: boolean },
  ) => Promise<{
    readonly violations: readonly Violation[];
    readonly trace: readonly string[];
    readonly traceHash: string;
  }>;
  /** What can be left out of a history. */
  readonly lists: readonly ListOf<History>[];
  /** Describes a history that was shrunk. */
  readonly describe: (history: History) => string;
}

/** A line for each of the first violations. */
export const describeViolations = (violations: readonly Violation[]): string =>
  violations
    .slice(0, 20)
    .map(({ oracle, about }) => `  ${oracle}: ${about}\n`)
    .join('');

/**
 * Simulates one history and prints every call. Shrinks a history that fails.
 *
 * @returns the exit code
 */
export const replay = async <History extends { readonly seed: number; readonly faultShare: number }>(
  history: History,
  { simulate, lists, describe }: Simulation<History>,
): Promise<number> => {
  const print = (text: string): void => void process.stdout.write(text);
  const { violations, trace, traceHash } = await simulate(history, { keepsTrace: true });
  print(`${trace.join('\n')}\nSeed ${history.seed}: trace ${traceHash}, `);
  if (violations.length === 0) {
    print('no violation\nTests: 1 passed, 0 failed\n');
    return 0;
  }
  print(`${violations.length} violations\n${describeViolations(violations)}`);
  print(`Shrinking, for at most ${maxShrinkMs / 1_000} s …\n`);
  const oracles = new Set(violations.map(({ oracle }) => oracle));
  const endsAtMs = performance.now() + maxShrinkMs;
  const shortest = await shrink(
    history,
    lists,
    async (candidate) => {
      const again = await simulate(candidate, { keepsTrace: false });
      return again.violations.some(({ oracle }) => oracles.has(oracle));
    },
    () => performance.now() > endsAtMs,
  );
  const last = await simulate(shortest, { keepsTrace: true });
  print(`${last.trace.join('\n')}\nSeed ${history.seed}, shrunk to ${describe(shortest)}:\n`);
  print(`${describeViolations(last.violations)}Tests: 0 passed, 1 failed\n`);
  return 1;
};
