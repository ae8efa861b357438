/** Fuzzes one target, and sends the report to the process that forked it. */
import { fuzz } from './engine';
import { targets } from './targets';

const reportIntervalMs = 1_000;
const maxMs = 100;

const main = async ([name, inputs, seed]: readonly string[]): Promise<void> => {
  const target = targets.find((one) => one.name === name);
  if (target === undefined) throw new Error(`There is no target ${name}`);
  let reportedAtMs = 0;
  const onInput = (): void => {
    if (performance.now() - reportedAtMs < reportIntervalMs) return;
    reportedAtMs = performance.now();
    process.send?.('alive');
  };
  const report = await fuzz(target, { inputs: Number(inputs), seed: Number(seed), maxMs, onInput });
  process.send?.(report, () => process.exit());
};

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(1);
});
