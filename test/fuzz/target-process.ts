/** Fuzzes one target, and sends the report to the process that forked it. */
import { fuzz } from './engine';
import { targets } from './targets';

const aliveEveryMs = 1_000;
const maxMs = 100;

const main = async ([name, inputs, seed]: readonly string[]): Promise<void> => {
  const target = targets.find((one) => one.name === name);
  if (target === undefined) throw new Error(`There is no target ${name}`);
  const alive = setInterval(() => process.send?.('alive'), aliveEveryMs);
  const report = await fuzz(target, { inputs: Number(inputs), seed: Number(seed), maxMs });
  clearInterval(alive);
  process.send?.(report, () => process.exit());
};

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(1);
});
