import { once } from 'node:events';
import path from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { openDayLog } from './day-log';
import { describeFailure } from './describe-failure';
import { createProgress } from './progress';
import { describeResult, describeSync, describeWhereToLook } from './report';
import { dayOf, runDay } from './run-day';
import { runSync } from './run-sync';
import { openStateFolder } from './state-folder';
import { emptySummary, findSurprises, summarize } from './summary';
import { synthesize } from './synthesize';
import { startWorld } from './world';

interface Options {
  readonly once: boolean;
  readonly json: boolean;
  readonly fresh: boolean;
  readonly orders: number;
  readonly state: string;
  readonly recordCalls: boolean;
}

const count = (text: string): number => {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('It must be a whole number from 0 to 999999.');
  return Number(text);
};

const readOptions = (): Options =>
  new Command('npm start --')
    .description('Runs the pipeline on this machine: a day of webhooks, then both sync jobs.')
    .option('--once', 'exit at the end: 0 if every outcome is as expected, else 1', false)
    .option('--json', 'print the summary as one JSON object on the last line', false)
    .option('--fresh', 'delete the state of earlier starts', false)
    .option('--orders <count>', 'number of orders in the day; 0 posts none', count, 300)
    .option('--state <folder>', 'folder for the state that survives a restart', '.local')
    .option('--record-calls', 'write the calls of the functions to calls.ndjson in it', false)
    .parse()
    .opts<Options>();

const start = async (options: Options, stateDirectory: string): Promise<number> => {
  // With --json, standard output only has the summary.
  const out = options.json ? process.stderr : process.stdout;
  const say = (text: string) => out.write(`${text}\n`);

  const folder = openStateFolder(stateDirectory, options.fresh);
  const assemblyDirectory = synthesize(() => say('Synthesizing: the sources changed …'));
  // All files created from here on are in the state folder. Only their owner can read them.
  process.umask(0o077);

  // Only the Qualia simulator knows the orders of a day, so nothing is posted if another server replaces it.
  const postsDays = process.env.QUALIA_API_URL === undefined;
  const log = openDayLog(stateDirectory);
  const plans = [log.openDay, options.orders > 0 ? log.plan(options.orders, Date.now()) : undefined].flatMap(
    (plan) => plan ?? [],
  );

  const interrupted = Promise.withResolvers<number>();
  process.once('SIGINT', () => interrupted.resolve(130));
  process.once('SIGTERM', () => interrupted.resolve(143));

  const world = await startWorld({
    assemblyDirectory,
    stateDirectory,
    orders: plans.flatMap((plan) => dayOf(plan).orders),
    faults: log.openDay && dayOf(log.openDay).faults,
    environment: process.env,
    recordCalls: options.recordCalls,
  });
  say(`The pipeline runs at ${world.aws.apiUrl}, its state is in ${options.state}`);

  const run = async (): Promise<number> => {
    let lastOrderId: string | undefined;
    let exitCode = 0;
    let summary = emptySummary;
    if (!postsDays) say('No webhooks are posted: QUALIA_API_URL names another server.');
    for (const plan of postsDays ? plans : []) {
      if (plan === log.openDay) say('An earlier start was interrupted; finishing its day first.');
      const result = await runDay(world, plan, log, createProgress(out));
      const surprises = findSurprises(result);
      summary = summarize(result);
      say(describeResult(result, summary, surprises));
      if (surprises.length > 0) exitCode = 1;
      lastOrderId = [...result.closed.values()].find(({ status }) => status === 'PROCESSED')?.order_id;
    }
    if (plans.length > 0) {
      const sync = await runSync(world, stateDirectory, createProgress(out));
      say(describeSync(sync));
      if (sync.status !== 'SUCCEEDED') exitCode = 1;
    }
    if (options.json) process.stdout.write(`${JSON.stringify(summary)}\n`);
    if (options.once) return exitCode;
    say(describeWhereToLook(world, stateDirectory, lastOrderId));
    say('It stays up until Ctrl-C.');
    return interrupted.promise;
  };

  try {
    return await Promise.race([run(), interrupted.promise]);
  } finally {
    await world.stop();
    folder.release();
  }
};

const options = readOptions();
const stateDirectory = path.resolve(options.state);
const fail = (error: unknown) => {
  process.stderr.write(`${describeFailure(error, stateDirectory)}\n`);
  // Exit at once: on a full disk, nothing more must be acknowledged.
  process.exit(1);
};
process.on('uncaughtException', fail);

start(options, stateDirectory)
  .then(async (exitCode) => {
    process.exitCode = exitCode;
    if (process.stdout.writableLength > 0) await once(process.stdout, 'drain');
    process.exit();
  })
  .catch(fail);
