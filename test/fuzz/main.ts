/** `npm run fuzz`: runs every target in its own process, two at a time. Exits with 1 if one failed. */
import { fork } from 'node:child_process';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { FuzzReport } from './engine';
import { targets } from './targets';

const maxProcesses = 2;
/** A process without a message for this time is stuck in an input. */
const maxSilenceMs = 60_000;

const readOptions = () => {
  const { values } = parseArgs({
    options: {
      inputs: { type: 'string', default: '100000' },
      seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
      target: { type: 'string', multiple: true, default: targets.map(({ name }) => name) },
    },
  });
  const { inputs, seed, target: names } = values;
  if (![inputs, seed].every((number) => /^\d{1,10}$/.test(number))) throw new Error('--inputs and --seed are numbers');
  const known = targets.map(({ name }) => name);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new Error(`There is no target ${unknown.join(', ')}, only ${known.join(', ')}`);
  return { inputs, seed, names };
};

/** @returns the report, or a sentence that says why there is none */
const fuzzInProcess = (name: string, inputs: string, seed: string): Promise<FuzzReport | string> =>
  new Promise((resolve) => {
    const child = fork(path.join(__dirname, 'target-process.ts'), [name, inputs, seed], {
      execArgv: ['--import', 'tsx'],
    });
    const kill = () => {
      resolve(`an input took longer than ${maxSilenceMs / 1_000} s`);
      child.kill('SIGKILL');
    };
    let watchdog = setTimeout(kill, maxSilenceMs);
    child.on('message', (message) => {
      if (message !== 'alive') return resolve(message as FuzzReport);
      clearTimeout(watchdog);
      watchdog = setTimeout(kill, maxSilenceMs);
    });
    child.once('exit', (code) => {
      clearTimeout(watchdog);
      resolve(`its process exited with ${code}`);
    });
  });

const describe = (name: string, report: FuzzReport | string, seed: string): string => {
  const command = `npm run fuzz -- --target ${name} --seed ${seed}`;
  if (typeof report === 'string') return `${name.padEnd(10)} FAILED: ${report}\n  ${command}\n`;
  const { inputs, seconds, slowestMs, failure } = report;
  const line = `${name.padEnd(10)} ${inputs} inputs in ${seconds.toFixed(1)} s, the slowest ${slowestMs.toFixed(1)} ms`;
  if (failure === undefined) return `${line}, no failure\n`;
  return `${line}\n  FAILED: ${failure.faults}\n  input: ${failure.input}\n  ${command}\n`;
};

const main = async (): Promise<void> => {
  const { inputs, seed, names } = readOptions();
  process.stdout.write(`${inputs} inputs per target, seed ${seed}\n`);
  const queue = names.values();
  const worker = async (): Promise<void> => {
    for (const name of queue) {
      const report = await fuzzInProcess(name, inputs, seed);
      process.stdout.write(describe(name, report, seed));
      if (typeof report === 'string' || report.failure !== undefined) process.exitCode = 1;
    }
  };
  await Promise.all(Array.from({ length: maxProcesses }, worker));
};

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
});
