import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { startSurroundings } from '../../local/start/surroundings';
import { announceTarget, outputsSchema } from '../e2e/support/target';
import { bootstrap, deploy, destroy, synthesize } from './cdk';
import { announceDeployment } from './deployment';
import { stage } from './emulated-pipeline';
import { root } from './execute';
import { startGapFillingProxy } from './gap-filling-proxy';
import { runJest } from './jest';
import { type Emulator, startMiniStack } from './ministack';
import { findSimulators } from './simulators';
import { fillSecrets, readOutputs } from './stage';

/** State of a run, with the emulator's log. Each run empties it first. */
const directory = path.join(root, '.local/deployed');
const startedAtMs = Date.now();

const print = (text: string) =>
  process.stdout.write(`${((Date.now() - startedAtMs) / 1_000).toFixed(1).padStart(6)} s  ${text}\n`);

/** Removes the user's AWS settings, so that neither the emulator, its Lambdas nor a client uses the user's account. */
const removeAwsSettings = (): void => {
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name];
};

/** Points every AWS client of this process and its children to the emulator. */
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
  // An IP address: with a host name, the S3 client would address buckets by subdomains, which do not resolve.
  const url = process.env.AWS_ENDPOINT_URL?.replace('//localhost', '//127.0.0.1').replace(/\/$/, '');
  removeAwsSettings();
  return url ? { url, stop: async () => undefined } : startMiniStack(path.join(directory, 'ministack'));
};

/** @param onStop registers a clean-up; the last one runs first */
const run = async (onStop: (stop: () => Promise<unknown>) => void, signal: AbortSignal): Promise<number> => {
  const emulator = await openEmulator();
  onStop(emulator.stop);
  useEmulator(emulator);
  print(`The emulator runs at ${emulator.url}`);

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
  print('The account is bootstrapped, the app synthesized');

  onStop(() => destroy(assembly));
  await deploy(assembly, signal);
  const outputs = await readOutputs(stage);
  await fillSecrets(outputs, secrets);
  print('All stacks are deployed');

  const proxy = await startGapFillingProxy(emulator.url);
  onStop(proxy.stop);
  const [apiId] = outputs.ApiUrl?.replace(/^https?:\/\//, '').split('.') ?? [];
  announceTarget({
    apiUrl: `${emulator.url}/_aws/execute-api/${apiId}/$default`,
    endpoints: { sqs: proxy.url, sfn: proxy.url },
    outputs: outputsSchema.parse(outputs),
    simulators: await findSimulators(stage),
    // Gaps of MiniStack: docs/adr/0006.
    lacks: ['branch-history', 'error-names', 'log-queries', 'redrive'],
  });
  announceDeployment({ assembly, nextAssembly: path.join(directory, 'next-assembly') });
  return runJest('deployed', process.argv.slice(2), signal);
};

const main = async (): Promise<number> => {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const abortController = new AbortController();
  let interrupted = false;
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    // `on`, not `once`: a second signal must not end this process before the emulator is stopped.
    process.on(name, () => {
      interrupted = true;
      abortController.abort();
    });
  }

  const stops: (() => Promise<unknown>)[] = [];
  const report = (error: unknown): number => {
    console.error(error);
    return 1;
  };
  let exitCode = await run((stop) => stops.push(stop), abortController.signal).catch((error: unknown) =>
    interrupted ? 130 : report(error),
  );
  abortController.abort();
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
