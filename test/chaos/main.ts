import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { createProgress } from '../../local/start/progress';
import { synthesize } from '../../local/start/synthesize';
import { runStorm, type StormResult } from './storm';
import { complaintsAbout } from './verdict';

interface Options {
  readonly seed: number;
  readonly orders: number;
  readonly json: boolean;
}

const count = (text: string): number => {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('It must be a whole number from 1 to 999999.');
  return Number(text);
};

/** A storm that is not over by then never will be. */
const longestMs = (orders: number): number => 180_000 + 60 * orders;

const describe = (result: StormResult): string => {
  const { seed, webhooks, ledger, redriven, struck, seconds } = result;
  const rows: readonly (readonly [string, string | number])[] = [
    ['webhooks sent', webhooks.sent],
    ['webhooks acknowledged', webhooks.acknowledged],
    ['webhooks refused, hostile', webhooks.refused],
    ['webhooks answered otherwise', webhooks.astray],
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
    ['dead letters given back', redriven],
    ...Object.entries(struck),
    ['seconds', seconds.toFixed(1)],
    ['seed', seed],
  ];
  const complaints = complaintsAbout(result);
  const verdict = complaints.length > 0 ? complaints : ['The ledger balances.'];
  return [...rows.map(([name, value]) => `${name.padEnd(28)}${String(value).padStart(8)}`), ...verdict].join('\n');
};

const main = async ({ seed, orders, json }: Options): Promise<number> => {
  const out = json ? process.stderr : process.stdout;
  const assemblyDirectory = synthesize(() => out.write('Synthesizing: the sources changed …\n'));
  const stateDirectory = mkdtempSync(path.join(tmpdir(), 'chaos-'));
  const progress = createProgress(out);
  const interrupted = Promise.withResolvers<never>();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => interrupted.reject(new Error(`Ended by ${signal}`)));
  try {
    const result = await Promise.race([
      runStorm({
        seed,
        orders,
        assemblyDirectory,
        stateDirectory,
        deadlineMs: Date.now() + longestMs(orders),
        onProgress: progress.update,
      }),
      interrupted.promise,
    ]);
    progress.end();
    process.stdout.write(`${json ? JSON.stringify(result) : describe(result)}\n`);
    return complaintsAbout(result).length === 0 ? 0 : 1;
  } finally {
    rmSync(stateDirectory, { recursive: true, force: true });
  }
};

const options = new Command('npm run chaos --')
  .description('Sends a storm of webhooks through the pipeline while everything fails, and counts what became of them.')
  .option('--seed <number>', 'what the storm is made of; the same seed, the same storm', count, 1)
  .option('--orders <count>', 'how many orders', count, 20_000)
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
