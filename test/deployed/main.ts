import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { startSurroundings } from '../../local/start/surroundings';
import { announceTarget, outputsSchema } from '../e2e/support/target';
import { bootstrap, deploy, destroy, synthesize } from './cdk';
import { announceDeployment } from './deployment';
import { stage } from './emulated-pipeline';
import { root } from './execute';
import { runJest } from './jest';
import { type Emulator, startMiniStack } from './ministack';
import { findSimulators } from './simulators';
import { fillSecrets, readOutputs } from './stage';
import { startStandIn } from './stand-in';

/** Emptied at each start; afterwards the emulator's log can be read there. */
const directory = path.join(root, '.local/deployed');
const startedAtMs = Date.now();

const say = (text: string) =>
  process.stdout.write(`${((Date.now() - startedAtMs) / 1_000).toFixed(1).padStart(6)} s  ${text}\n`);

/** Whatever account the user is signed in to, nothing of it reaches the emulator, its Lambdas, or a client. */
const forgetAccount = (): void => {
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name];
};

/** Leads every AWS client of this process and its children to the emulator. */
const useEmulator = ({ url }: Emulator): void => {
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: url,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    CDK_DISABLE_CLI_TELEMETRY: 'true',
  });
};

const openEmulator = async (): Promise<Emulator> => {
  // By its address: S3 would put the bucket before a name, and no resolver knows that.
  const url = process.env.AWS_ENDPOINT_URL?.replace('//localhost', '//127.0.0.1').replace(/\/$/, '');
  forgetAccount();
  return url ? { url, stop: async () => undefined } : startMiniStack(path.join(directory, 'ministack'));
};

/** @param onStop takes what must be undone; the last comes first */
const run = async (onStop: (stop: () => Promise<unknown>) => void, signal: AbortSignal): Promise<number> => {
  const emulator = await openEmulator();
  onStop(emulator.stop);
  useEmulator(emulator);
  say(`The emulator runs at ${emulator.url}`);

  const { variables, secrets, stop } = await startSurroundings({
    stateDirectory: directory,
    orders: [],
    environment: {},
  });
  onStop(stop);
  const assembly = path.join(directory, 'assembly');
  const release = { COMMIT_SHA: randomBytes(20).toString('hex') };
  await Promise.all([
    bootstrap(path.join(directory, 'bootstrap'), signal),
    synthesize(assembly, { ...variables, ...release }, signal),
  ]);
  say('The account is bootstrapped, the app synthesized');

  onStop(() => destroy(assembly));
  await deploy(assembly, signal);
  const outputs = await readOutputs(stage);
  await fillSecrets(outputs, secrets);
  say('All stacks are deployed');

  const standIn = await startStandIn(emulator.url);
  onStop(standIn.stop);
  const [apiId] = outputs.ApiUrl?.replace(/^https?:\/\//, '').split('.') ?? [];
  announceTarget({
    apiUrl: `${emulator.url}/_aws/execute-api/${apiId}/$default`,
    endpoints: { sqs: standIn.url, sfn: standIn.url },
    outputs: outputsSchema.parse(outputs),
    simulators: await findSimulators(stage),
    // MiniStack: docs/adr/0006.
    lacks: ['branch-history', 'error-names', 'log-queries', 'redrive'],
  });
  announceDeployment({ assembly, nextAssembly: path.join(directory, 'next-assembly') });
  return runJest('deployed', process.argv.slice(2), signal);
};

const main = async (): Promise<number> => {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const ending = new AbortController();
  let interrupted = false;
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    // Each time: a second one must not leave the emulator behind.
    process.on(name, () => {
      interrupted = true;
      ending.abort();
    });
  }

  const stops: (() => Promise<unknown>)[] = [];
  const report = (error: unknown): number => {
    console.error(error);
    return 1;
  };
  let exitCode = await run((stop) => stops.push(stop), ending.signal).catch((error: unknown) =>
    interrupted ? 130 : report(error),
  );
  ending.abort();
  for (const stop of stops.reverse()) {
    const failure = await stop().then(() => 0, report);
    exitCode ||= failure;
  }
  return exitCode;
};

main().then(
  (exitCode) => process.exit(exitCode),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
