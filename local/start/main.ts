import { once } from 'node:events';
import path from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import colors from 'picocolors';
import type { SentOrder } from '../simulators/qualia-webhook';
import { type LocalConsole, startConsole } from './console';
import { openDayLog } from './day-log';
import { describeFailure } from './describe-failure';
import { findOrdersTable, openOrdersTable } from './orders-table';
import { createOutput } from './output';
import { describeWhereToLook } from './report';
import { type StartContext, showDays, showFirstOrder, showNewOrder, showSyncs } from './run';
import { dayOf } from './run-day';
import { openStateFolder } from './state-folder';
import { synthesize } from './synthesize';
import { startWorld } from './world';

interface Options {
  readonly once: boolean;
  readonly json: boolean;
  readonly fresh: boolean;
  readonly orders: number;
  readonly syncs: boolean;
  readonly console: boolean;
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
    .option('--no-syncs', 'leave out the sync jobs')
    .option('--no-console', 'leave out the web console')
    .option('--state <folder>', 'folder for the state that survives a restart', '.local')
    .option('--record-calls', 'write the calls of the functions to calls.ndjson in it', false)
    .parse()
    .opts<Options>();

const start = async (options: Options, stateDirectory: string): Promise<number> => {
  const output = createOutput(options.json);
  const { say } = output;

  const folder = openStateFolder(stateDirectory, options.fresh);
  const assemblyDirectory = synthesize(() => say('Synthesizing: the sources changed …'));
  // All files created from here on are in the state folder. Only their owner can read them.
  process.umask(0o077);

  const log = openDayLog(stateDirectory);
  const newDay = options.orders > 0 ? log.plan(options.orders, Date.now()) : undefined;
  const plans = [log.openDay, newDay].flatMap((plan) => plan ?? []);

  const interrupted = Promise.withResolvers<number>();
  process.once('SIGINT', () => interrupted.resolve(130));
  process.once('SIGTERM', () => interrupted.resolve(143));
  const failed = Promise.withResolvers<never>();

  let onNewOrder: ((sent: SentOrder) => void) | undefined;
  const world = await startWorld({
    assemblyDirectory,
    stateDirectory,
    orders: plans.flatMap((plan) => dayOf(plan).orders),
    faults: log.openDay && dayOf(log.openDay).faults,
    environment: process.env,
    recordCalls: options.recordCalls,
    onNewOrder: (sent) => onNewOrder?.(sent),
  });
  const table = openOrdersTable(findOrdersTable(world.aws));
  const context: StartContext = { world, table, output };
  let webConsole: Promise<LocalConsole | undefined> | undefined;
  say(`The pipeline runs at ${colors.bold(world.aws.apiUrl)}, its state is in ${options.state}`);

  const run = async (): Promise<number> => {
    // Only the Qualia simulator knows the orders of a day, so nothing is posted if another server replaces it.
    const postsOrders = world.qualia !== undefined;
    if (!postsOrders) say('No webhooks are posted: QUALIA_API_URL names another server.');
    const firstOrderId = newDay && (await showFirstOrder(context));
    // Later than the first order, which it would delay.
    if (options.console && !options.once) {
      webConsole = startConsole(stateDirectory);
      void webConsole.then((running) => running && say(`${colors.bold('Web console')}\n  ${running.url}`));
    }
    if (newDay && postsOrders)
      say(`Now a day of ${options.orders} orders${options.syncs ? ', and both sync jobs' : ''}:`);
    onNewOrder = (sent) => void showNewOrder(context, sent).catch(failed.reject);
    const [days, syncsSucceeded] = await Promise.all([
      showDays(context, postsOrders ? plans : [], log),
      plans.length === 0 || !options.syncs || showSyncs(context, stateDirectory),
    ]);
    if (options.json) process.stdout.write(`${JSON.stringify(days.summary)}\n`);
    const firstOrderSucceeded = firstOrderId !== undefined || newDay === undefined || !postsOrders;
    if (options.once) return days.isAsExpected && syncsSucceeded && firstOrderSucceeded ? 0 : 1;
    say(describeWhereToLook(world, stateDirectory, firstOrderId));
    say('It stays up until Ctrl-C.');
    return interrupted.promise;
  };

  try {
    return await Promise.race([run(), interrupted.promise, failed.promise]);
  } finally {
    table.close();
    await (await webConsole)?.stop();
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
