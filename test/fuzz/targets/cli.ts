import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable, Writable } from 'node:stream';
import * as fc from 'fast-check';
import { exitCodes } from '../../../ops/commands/exit-codes';
import { run } from '../../../ops/commands/program';
import { type Bytes, hostileBytes, largeCorpus, toBuffer } from '../bytes';
import type { FuzzTarget } from '../engine';
import { hostileTexts } from '../hostile-values';
import { leaksOf } from '../leaks';
import { startResponseServer } from '../response-server';

const inputFile = '(the file)';

interface Input {
  readonly args: readonly string[];
  /** The contents of the `--input` file. */
  readonly file: Bytes;
}

interface Outcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

const collector = () => {
  let text = '';
  const stream = new Writable({
    write: (chunk, _encoding, done) => {
      text += String(chunk);
      done();
    },
  });
  return { stream, text: () => text };
};

/** The response of a fake AWS to every call. Each command ends at its first call. */
const refusal = {
  status: 400,
  headers: { 'content-type': 'application/x-amz-json-1.0' },
  body: Buffer.from('{"__type":"AccessDeniedException","message":"not\\u001b[2J for you"}'),
};

const localState = (origin: string): string => {
  const queue = `${origin}/000000000000/x`;
  const outputs = {
    'dev-Data': {
      OrdersTableName: 'o',
      RawBucketName: 'raw',
      SyncRunsTableName: 'r',
      OperationsTableName: 'operations',
      ActionsLogGroupName: 'actions',
      ArtifactsBucketName: 'artifacts',
    },
    'dev-OrderPipeline': {
      DownloadQueueUrl: queue,
      DownloadDeadLetterQueueUrl: queue,
      ProcessingQueueUrl: queue,
      ProcessingDeadLetterQueueUrl: queue,
    },
    'dev-SyncJobs': { StateMachineArn: 'arn:aws:states:us-east-1:000000000000:stateMachine:SyncJobs' },
    'dev-Observability': {
      ResumeRoleArn: 'arn:aws:iam::000000000000:role/resume',
      AlarmsSilentWhileDownloadPaused: 'none',
      AlarmsSilentWhileProcessingPaused: 'none',
      AlarmsSilentWhileSyncPaused: 'none',
    },
  };
  const endpoints = { dynamodb: origin, sqs: origin, s3: origin, sfn: origin };
  return JSON.stringify({ pid: process.pid, endpoints, outputs });
};

const open = async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'pipeline-fuzz-'));
  const server = await startResponseServer();
  server.respond(refusal);
  writeFileSync(path.join(folder, 'endpoints.json'), localState(server.origin));
  return { folder, server };
};
let opened: ReturnType<typeof open> | undefined;

const messageId = '00000000-0000-4000-8000-000000000000';

const refusedId = '0123456789abcdef0123456789abcdef';

const commands: readonly (readonly string[])[] = [
  ['status'],
  ['orders', 'get', 'QO-123456'],
  ['orders', 'trace', 'QO-123456', '--since', '7d'],
  ['orders', 'list', '--status', 'FAILED', '--since', '7d', '--limit', '10'],
  ['orders', 'list', '--open', '--worker', 'download', '--code', 'TIMEOUT', '--older-than', '15m'],
  ['orders', 'list', '--warnings', '--since', '7d'],
  ['orders', 'replay', 'QO-1', 'QO-2', '--rate', '5', '--yes'],
  ['orders', 'replay', '--status', 'FAILED', '--since', '2026-01-01T00:00:00Z'],
  ['orders', 'replay', '--from', 'raw', '--ids', inputFile, '--yes'],
  ['orders', 'replay', 'QO-1', '--from', 'raw', '--round', '000001767225600000-000000000000', '--force', '--yes'],
  ['issues', '--all'],
  ['issues', 'get', '0123abcd'],
  ['issues', 'ack', '0123abcd', '--until', '4h'],
  ['issues', 'resolve', '0123abcd'],
  ['issues', 'replay', '0123abcd', '--yes'],
  ['explain', 'QO-1'],
  ['pause', 'download', '--until', '4h', '--reason', 'maintenance'],
  ['resume', 'sync'],
  ['completion', 'zsh'],
  ['reconcile', '--reason', 'webhooks were lost'],
  ['actions', '--since', '7d', '--verb', 'orders', '--by', 'jane'],
  ['mapping', 'try', 'QO-1'],
  ['mapping', 'try', '--file', inputFile],
  ['mapping', 'diff', '--since', '7d'],
  ['dlq', 'list'],
  ['dlq', 'redrive', 'download', '-y'],
  ['dlq', 'redrive', 'processing', '--rate', '5', '-y'],
  ['dlq', 'show', 'download', '--limit', '5'],
  ['dlq', 'show', 'download', messageId, '--reveal'],
  ['dlq', 'redrive', 'download', messageId],
  ['dlq', 'stop', 'processing'],
  ['dlq', 'drop', 'download', messageId, '--yes'],
  ['webhook', 'send', 'TX', '--new', '--signed'],
  ['webhook', 'send', 'activity', '--order', 'QO-1'],
  ['webhook', 'send', '--list'],
  ['webhooks', 'refused', 'list', '--since', '7d', '--limit', '5'],
  ['webhooks', 'refused', 'show', refusedId, '--reveal'],
  ['webhooks', 'refused', 'accept', refusedId, '--yes'],
  ['webhooks', 'refused', 'accept', '--since', '7d'],
  ['sync', 'start', 'netlife', '--input', inputFile, '--run-id', 'manual-1', '--dry-run'],
  ['sync', 'start', '--input', inputFile, '--watch'],
  ['sync', 'list', '--limit', '5'],
  ['sync', 'get', 'nightly-1'],
  ['sync', 'watch', 'nightly-1'],
  ['sync', 'stop', 'nightly-1', '--yes'],
  ['sync', 'redrive', 'nightly-1', '-y'],
];

const startArgs = ['sync', 'start', '--input', inputFile, '--local'];

const hostileArgument = fc.oneof(
  fc.constantFrom(...hostileTexts),
  fc.constantFrom(
    ...['--', '-', '---', '--__proto__', '--constructor=x', '--json', '--stage', '--stage=prod', '--region', '--help'],
    ...['--version', '-h', '-yyy', '--no-yes', '--since', '99999w', '0d', '1e3', '-1', '--limit=1e999', '--input', '/'],
    ...['help', 'orders', 'sync', '--run-id', '--rate=Infinity', '--show-answer', '--local', inputFile, '/dev/null'],
  ),
  fc.string({ unit: 'binary', maxLength: 8 }),
);

const args: fc.Arbitrary<readonly string[]> = fc
  .tuple(
    fc.constantFrom(...commands),
    fc.array(fc.tuple(fc.nat(12), fc.constantFrom(0, 0, 1), hostileArgument), { maxLength: 3 }),
    fc.boolean(),
  )
  .map(([command, changes, json]) => {
    const changed = [...command];
    for (const [at, removed, argument] of changes) changed.splice(at % (changed.length + 1), removed, argument);
    return [...changed, '--local', ...(json ? ['--json'] : [])];
  });

const runInputs = [{}, { run_id: 'x', dry_run: true, netlife: { portals: ['legacyphoto'] }, iterable: { days: 7 } }];
const knownExitCodes: readonly number[] = Object.values(exitCodes);
/** Control and format characters, except line feeds. */
const controlCharacters = /[^\P{Cc}\n]|[\p{Cf}\u2028\u2029]/u;

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

/** The `pipeline` command, run in this process. */
export const cli: FuzzTarget<Input, Outcome> = {
  name: 'cli',
  corpus: {
    'a valid command': { args: startArgs, file: Buffer.from('{}') },
    ...largeCorpus(runInputs[1], (file) => ({ args: startArgs, file }), 'the file'),
    'a file name with a NUL character': {
      args: ['sync', 'start', '--input', 'a\0b', '--local'],
      file: Buffer.from('{}'),
    },
    'an argument of 1 MB': { args: ['orders', 'get', 'x'.repeat(1_000_000), '--local'], file: Buffer.from('{}') },
    'an option of 100,000 characters': { args: [`--${'x'.repeat(100_000)}`], file: Buffer.from('{}') },
    'no arguments': { args: [], file: Buffer.from('{}') },
  },
  arbitrary: fc.record({ args, file: hostileBytes(runInputs) }),
  run: async ({ args, file }) => {
    opened ??= open();
    const { folder } = await opened;
    const inputPath = path.join(folder, 'input.json');
    if (args.includes(inputFile)) writeFileSync(inputPath, toBuffer(file));
    const [stdout, stderr] = [collector(), collector()];
    const exitCode = await run(
      args.map((argument) => (argument === inputFile ? inputPath : argument)),
      {
        stdin: Readable.from([]),
        stdout: stdout.stream,
        stderr: stderr.stream,
        environment: {},
        localStateDirectory: folder,
        temporaryDirectory: folder,
        now: Date.now,
        interruptible: (work) => work(AbortSignal.timeout(1_000)),
      },
    );
    return { exitCode, stdout: stdout.text(), stderr: stderr.text() };
  },
  check: ({ exitCode, stdout, stderr }, { args }) => [
    ...(knownExitCodes.includes(exitCode) ? [] : [`it exited with ${exitCode}`]),
    ...(controlCharacters.test(stdout + stderr) ? ['it printed control characters'] : []),
    ...leaksOf(stdout + stderr, []),
    ...(stdout === '' || exitCode === exitCodes.done || !args.includes('--json') || isJson(stdout)
      ? []
      : ['it printed no JSON']),
  ],
  secretTexts: [],
  close: async () => {
    const { folder, server } = (await opened) ?? {};
    opened = undefined;
    if (folder !== undefined) rmSync(folder, { recursive: true });
    await server?.stop();
  },
};
