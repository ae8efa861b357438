import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable, Writable } from 'node:stream';
import * as fc from 'fast-check';
import { exitCodes } from '../../../ops/commands/exit-codes';
import { run } from '../../../ops/commands/program';
import { startAnsweringServer } from '../answering-server';
import { type Bytes, hostileBytes, largeCorpus, toBuffer } from '../bytes';
import type { FuzzTarget } from '../engine';
import { hostileTexts } from '../hostile-values';
import { leaksOf } from '../leaks';

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

/** A fake AWS that refuses every call, so that each verb ends at its first. */
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
      ArtifactsBucketName: 'artifacts',
    },
    'dev-OrderPipeline': {
      ...{ DownloadQueueUrl: queue, DownloadDeadLetterQueueUrl: queue },
      ...{ ProcessingQueueUrl: queue, ProcessingDeadLetterQueueUrl: queue },
    },
    'dev-SyncJobs': { StateMachineArn: 'arn:aws:states:us-east-1:000000000000:stateMachine:SyncJobs' },
  };
  const endpoints = { dynamodb: origin, sqs: origin, s3: origin, sfn: origin };
  return JSON.stringify({ pid: process.pid, endpoints, outputs });
};

const open = async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'pipeline-fuzz-'));
  const server = await startAnsweringServer();
  server.respond(refusal);
  writeFileSync(path.join(folder, 'endpoints.json'), localState(server.origin));
  return { folder, server };
};
let opened: ReturnType<typeof open> | undefined;

const commands: readonly (readonly string[])[] = [
  ['orders', 'get', 'QO-123456'],
  ['orders', 'list', '--status', 'FAILED', '--since', '7d', '--limit', '10'],
  ['orders', 'replay', 'QO-1', 'QO-2', '--rate', '5', '--yes'],
  ['orders', 'replay', '--status', 'FAILED', '--since', '2026-01-01T00:00:00Z'],
  ['orders', 'replay', '--from', 'raw', '--ids', inputFile, '--yes'],
  ['orders', 'replay', 'QO-1', '--from', 'raw', '--round', '000001767225600000-000000000000', '--force', '--yes'],
  ['mapping', 'try', 'QO-1'],
  ['mapping', 'try', '--file', inputFile],
  ['mapping', 'diff', '--since', '7d'],
  ['dlq', 'list'],
  ['dlq', 'redrive', 'download', '-y'],
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
const known: readonly number[] = Object.values(exitCodes);
/** Control characters except line breaks. */
const controlCharacters = /[^\P{Cc}\n]|[\p{Cf}\u2028\u2029]/u;

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

/** The operators' command, in this process, with typed or scripted arguments. */
export const cli: FuzzTarget<Input, Outcome> = {
  name: 'cli',
  corpus: {
    'a good command': { args: startArgs, file: Buffer.from('{}') },
    ...largeCorpus(runInputs[1], (file) => ({ args: startArgs, file }), 'the file'),
    'a file whose name ends early': { args: ['sync', 'start', '--input', 'a\0b', '--local'], file: Buffer.from('{}') },
    'an argument of 1 MB': { args: ['orders', 'get', 'x'.repeat(1_000_000), '--local'], file: Buffer.from('{}') },
    'an option of 100,000 characters': { args: [`--${'x'.repeat(100_000)}`], file: Buffer.from('{}') },
    'nothing at all': { args: [], file: Buffer.from('{}') },
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
  judge: ({ exitCode, stdout, stderr }, { args }) => [
    ...(known.includes(exitCode) ? [] : [`it exited with ${exitCode}`]),
    ...(controlCharacters.test(stdout + stderr) ? ['it printed control characters'] : []),
    ...leaksOf(stdout + stderr, []),
    ...(stdout === '' || exitCode === exitCodes.done || !args.includes('--json') || isJson(stdout)
      ? []
      : ['it printed no JSON']),
  ],
  unspeakable: [],
  close: async () => {
    const { folder, server } = (await opened) ?? {};
    opened = undefined;
    if (folder !== undefined) rmSync(folder, { recursive: true });
    await server?.stop();
  },
};
