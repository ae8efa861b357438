/** `npm run simulate`: simulates histories of faults. Exits with 1 if one ends in a wrong state. */
import { fork } from 'node:child_process';
import { randomInt } from 'node:crypto';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { actions } from './histories';
import { createHistory, type HistoryOptions } from './history';
import { runLeases } from './leases/main';
import { mutants } from './mutants';
import { type MutationRun, runMutants } from './mutation-run';
import { describeViolations, replay } from './replay';
import { type Result, simulate } from './simulate';
import { runSyncs, syncMutationRun } from './sync/main';

const maxProcesses = 2;
const hourMs = 3_600_000;

const readOptions = () => {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string', default: String(randomInt(2 ** 31)) },
      webhooks: { type: 'string', default: '1000' },
      minutes: { type: 'string', default: '30' },
      replay: { type: 'string' },
      runs: { type: 'string' },
      leases: { type: 'string' },
      mutants: { type: 'boolean', default: false },
      only: { type: 'string', default: '' },
    },
  });
  const { replay, runs, leases, mutants: breaksCode, only, ...rest } = values;
  const numbers = {
    ...rest,
    seed: replay ?? rest.seed,
    ...(runs !== undefined && { runs }),
    ...(leases !== undefined && { leases }),
  };
  for (const [name, value] of Object.entries(numbers)) {
    if (!/^[1-9]\d{0,9}$/.test(value)) throw new Error(`--${name} is not a whole number from 1: ${value}`);
  }
  const request: HistoryOptions = {
    seed: Number(numbers.seed),
    webhooks: Number(numbers.webhooks),
    minutes: Number(numbers.minutes),
  };
  const command = breaksCode ? 'mutants' : replay === undefined ? 'run' : 'replay';
  const count = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text));
  return { request, only, runs: count(runs), leases: count(leases), command } as const;
};

/** A history, and its result. */
interface Simulated {
  readonly options: HistoryOptions;
  readonly result: Result;
}

const simulateAll = async (
  request: HistoryOptions,
  onResult: (simulated: Simulated) => void,
): Promise<readonly Result[]> => {
  const results: Result[] = [];
  const run = (first: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const args = [JSON.stringify(request), String(first), String(maxProcesses)];
      const child = fork(path.join(__dirname, 'history-process.ts'), args, { execArgv: ['--import', 'tsx'] });
      child.on('message', (message) => {
        const simulated = message as Simulated;
        results.push(simulated.result);
        onResult(simulated);
      });
      child.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`A process exited with ${code}`))));
    });
  await Promise.all(Array.from({ length: maxProcesses }, (_, first) => run(first)));
  return results;
};

const replayOrders = (request: HistoryOptions): Promise<number> =>
  replay(createHistory(request), {
    simulate,
    lists: [actions],
    describe: (history) => `${history.actions.length} actions`,
  });

/** Prints a history that failed at once: a long run may be ended before its summary. */
const printFailure = ({ options: { seed, webhooks, minutes }, result }: Simulated): void => {
  if (result.violations.length === 0) return;
  const command = `npm run simulate -- --replay ${seed} --webhooks ${webhooks} --minutes ${minutes}`;
  process.stdout.write(`FAILED: ${command}\n${describeViolations(result.violations)}`);
};

const sum = (
  results: readonly Result[],
  field: 'webhooks' | 'acknowledged' | 'posts' | 'calls' | 'virtualMs',
): number => results.reduce((total, result) => total + result[field], 0);

const run = async (request: HistoryOptions): Promise<number> => {
  const startedAtMs = performance.now();
  const results = await simulateAll(request, printFailure);
  const seconds = (performance.now() - startedAtMs) / 1_000;
  const failed = results.filter(({ violations }) => violations.length > 0);
  const violated = (...oracles: readonly string[]): number =>
    failed.flatMap(({ violations }) => violations).filter(({ oracle }) => oracles.includes(oracle)).length;
  const rows: readonly (readonly [string, string | number])[] = [
    ['webhooks sent', sum(results, 'webhooks')],
    ['webhooks acknowledged', sum(results, 'acknowledged')],
    ['orders posted', sum(results, 'posts')],
    ['calls to AWS', sum(results, 'calls')],
    ['lost or stuck', violated('open', 'messages')],
    ['stale', violated('stale')],
    ['duplicated', violated('doubled')],
    ['moved backwards', violated('backwards')],
    ['limits exceeded', violated('limit', 'calls')],
    ['simulated hours', (sum(results, 'virtualMs') / hourMs).toFixed(0)],
    ['simulated_hours_per_second', (sum(results, 'virtualMs') / hourMs / seconds).toFixed(1)],
    ['seconds', seconds.toFixed(1)],
    ['seeds', `${request.seed} … ${request.seed + results.length - 1}`],
  ];
  process.stdout.write(rows.map(([name, value]) => `${name.padEnd(28)}${String(value).padStart(12)}\n`).join(''));
  process.stdout.write(`Tests: ${results.length - failed.length} passed, ${failed.length} failed\n`);
  return failed.length > 0 ? 1 : 0;
};

/** Breaks the code in every way of `mutants.ts`: the histories must find each. */
const runAllMutants = async (mutationRun: MutationRun): Promise<number> => {
  const all = await runMutants(mutationRun, ({ mutant, histories, oracles }) => {
    const found = histories === undefined ? 'NOT CAUGHT' : `${histories} (${oracles.join(', ')})`;
    process.stdout.write(`${mutant.name.padEnd(76)}${found}\n`);
  });
  const caught = all.filter(({ histories }) => histories !== undefined).length;
  process.stdout.write(`Tests: ${caught} passed, ${all.length - caught} failed\n`);
  return caught === all.length ? 0 : 1;
};

const main = async (): Promise<void> => {
  const { request, only, runs, leases, command } = readOptions();
  if (command === 'mutants') {
    const ofOrders = { mutants, module: 'history-process.ts', args: [JSON.stringify(request), '0', '1'], only };
    process.exitCode = await runAllMutants(runs === undefined ? ofOrders : syncMutationRun(request.seed, runs, only));
    return;
  }
  if (runs !== undefined || leases !== undefined) {
    const run = runs === undefined ? runLeases : runSyncs;
    process.exitCode = await run(request.seed, runs ?? leases ?? 0);
    return;
  }
  process.exitCode = await { run, replay: replayOrders }[command](request);
};

void main();
