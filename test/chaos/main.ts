import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { createProgress } from '../../local/start/progress';
import { synthesize } from '../../local/start/synthesize';
import { problemsOf } from './problems';
import { runStorm, type StormResult } from './storm';

interface Options {
  readonly seed: number;
  readonly orders: number;
  readonly json: boolean;
}

const count = (text: string): number => {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('It must be a whole number from 1 to 999999.');
  return Number(text);
};

/** Time limit of a storm: several times its usual duration. */
const maxDurationMs = (orders: number): number => 180_000 + 60 * orders;

const describe = (result: StormResult): string => {
  const { seed, webhooks, ledger, redriven, disturbances, seconds } = result;
  const rows: readonly (readonly [string, string | number])[] = [
    ['webhooks sent', webhooks.sent],
    ['webhooks acknowledged', webhooks.acknowledged],
    ['webhooks refused, hostile', webhooks.refused],
    ['webhooks, other responses', webhooks.unexpected],
    ['changed and changed back', result.changedBack],
    ['orders acknowledged', ledger.acknowledged],
    ['orders processed', ledger.processed],
    ['orders failed', ledger.failed],
    ['orders in DLQ', ledger.in_dlq],
    ['orders lost', ledger.lost],
    ['orders stale', ledger.stale],
    ['orders doubled', ledger.doubled],
    ['orders without a webhook', ledger.unannounced],
    ['messages left', ledger.messages_left],
    ['dead letters redriven', redriven],
    ...Object.entries(disturbances),
    ['seconds', seconds.toFixed(1)],
    ['seed', seed],
  ];
  const problems = problemsOf(result);
  const conclusion = problems.length > 0 ? problems : ['The ledger balances.'];
  return [...rows.map(([name, value]) => `${name.padEnd(28)}${String(value).padStart(8)}`), ...conclusion].join('\n');
};

const main = async ({ seed, orders, json }: Options): Promise<number> => {
  const out = json ? process.stderr : process.stdout;
  const assemblyDirectory = synthesize(() => out.write('Synthesizing: the sources changed …\n'));
  const stateDirectory = mkdtempSync(path.join(tmpdir(), 'chaos-'));
  const onProgress = createProgress(out).activity();
  const interrupted = Promise.withResolvers<never>();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => interrupted.reject(new Error(`Stopped by ${signal}`)));
  try {
    const result = await Promise.race([
      runStorm({
        seed,
        orders,
        assemblyDirectory,
        stateDirectory,
        deadlineMs: Date.now() + maxDurationMs(orders),
        onProgress,
      }),
      interrupted.promise,
    ]);
    onProgress('');
    process.stdout.write(`${json ? JSON.stringify(result) : describe(result)}\n`);
    return problemsOf(result).length === 0 ? 0 : 1;
  } finally {
    rmSync(stateDirectory, { recursive: true, force: true });
  }
};

const options = new Command('npm run chaos --')
  .description(
    'Sends webhooks through the pipeline while workers are killed and APIs fail, then counts the orders by final state.',
  )
  .option('--seed <number>', 'seed of the orders, webhooks and faults; the same seed repeats them', count, 1)
  .option('--orders <count>', 'number of orders', count, 20_000)
  .option('--json', 'print the result as one JSON object on the last line', false)
  .parse()
  .opts<Options>();

main(options).then(
  (exitCode) => process.exit(exitCode),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exit(1);
  },
);
