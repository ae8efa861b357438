import { createHash } from 'node:crypto';
import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { DescribeExecutionCommand, RedriveExecutionCommand, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { eventually, openClients } from './ask';
import type { Cut } from './cell';
import { killed, s3Fails } from './matrix';
import { portals, world } from './world';

const clients = openClients();
const { outputs } = world();

interface KindOfRun {
  readonly input: object;
  /** Further faults besides the interruption. */
  readonly besides: readonly Cut[];
  /** Which of its calls are interrupted: none that another kind of run interrupts. */
  readonly isCut: (cut: Cut) => boolean;
}

/**
 * Large files take long, and the errors of S3 are tested with small ones: here the process dies, or a response is lost.
 */
const loses = ({ by: { does } }: Cut) => does === 'kill' || does === 'reset';
const isUpload = (cut: Cut) => loses(cut) && /Multipart|UploadPart/.test(cut.site.operation);
const isAbort = (cut: Cut) => loses(cut) && cut.site.operation.startsWith('AbortMultipartUpload');
const isPage = (cut: Cut) => loses(cut) && /^GetObject .*\/page\/.*\/buyers\//.test(cut.site.operation);
const largeNetlife = { netlife: { portals: [portals.large], create_access_keys: true } };
const largeIterable = { dry_run: true, iterable: { plan: 'enterprise' } };

/** The users of each plan are in `users.ts`. */
export const kindsOfRun: Readonly<Record<string, KindOfRun>> = {
  netlife: {
    input: { netlife: { portals: [portals.usual], create_access_keys: true } },
    besides: [],
    // The pages of one list represent those of the others.
    isCut: ({ site }) => !site.operation.includes('/job_users/'),
  },
  'bulk Iterable': {
    input: { iterable: { plan: 'basic' } },
    besides: [],
    isCut: ({ site }) => site.lambda.startsWith('iterable-'),
  },
  'single Iterable with a JWT': {
    input: { iterable: { plan: 'free', mode: 'single', use_jwt: true } },
    besides: [],
    isCut: ({ site }) => site.service === 'http',
  },
  'large Netlife': {
    input: largeNetlife,
    besides: [],
    isCut: isUpload,
  },
  'large Netlife, resumed from its pages': {
    input: largeNetlife,
    besides: [killed('netlife-collect', 's3', `PutObject netlife/${portals.large}/parts/job/:id/00000-last.json`)],
    isCut: isPage,
  },
  'large Iterable': { input: largeIterable, besides: [], isCut: isUpload },
  'large Iterable whose upload is given up': {
    input: largeIterable,
    // The number of tries of the SDK.
    besides: [1, 2, 3].map((nth) => s3Fails('iterable-extract', 'UploadPart iterable/query_results_:time.csv', nth)),
    isCut: isAbort,
  },
};

const ended = (executionArn: string) =>
  eventually(`the end of ${executionArn}`, async () => {
    const execution = await clients.stepFunctions.send(new DescribeExecutionCommand({ executionArn }));
    return execution.status === 'RUNNING' ? undefined : execution;
  });

/**
 * Runs a job under the id of its cell, and redrives it if it fails, like an operator. @returns the number of redrives
 */
export const runToItsEnd = async (id: string, kind: KindOfRun): Promise<number> => {
  const input = JSON.stringify(kind.input);
  const { executionArn = '' } = await clients.stepFunctions.send(
    new StartExecutionCommand({ stateMachineArn: outputs.StateMachineArn, name: id, input }),
  );
  for (let redrives = 0; ; redrives++) {
    const { status, cause } = await ended(executionArn);
    if (status === 'SUCCEEDED') return redrives;
    if (redrives === 2) throw new Error(`${id} is ${status} after ${redrives} redrives: ${cause}`);
    await clients.stepFunctions.send(new RedriveExecutionCommand({ executionArn }));
  }
};

/**
 * Removes what differs between runs without faults: times, durations, numbers of tries, whether an access key was
 * created by this try or by a killed one, the run's id, and the port of the portal.
 */
const sameInEffect = (text: string): string =>
  text
    .replaceAll(/QO-FAULT-\d{5}/g, 'RUN')
    .replaceAll(/http:\/\/127\.0\.0\.1:\d+/g, 'ORIGIN')
    .replaceAll(/Duration: [\d:]+|(?<=API Calls:\n)( {2}- \w+: \d+\n)+|- (Existing|Created): \d+/g, 'COUNTED')
    .replaceAll(/\d{8}_\d{6}/g, 'STAMP')
    .replaceAll(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?/g, 'TIME')
    .replaceAll(
      /"(duration_seconds|api_calls_total|api_calls_failed|retries|cache_hits|cache_misses|access_keys_existing|access_keys_created|attempt|response_time_ms)": ?[\d.]+/g,
      '"$1":0',
    );

/** The difference of more would fill the screen. */
const longestShown = 1_000_000;
const shown = (text: string): string =>
  text.length > longestShown ? createHash('sha256').update(text).digest('hex') : text;

/** The final files of a run by path, without the parts that they were made from. */
export const finalFiles = async (id: string): Promise<Record<string, string>> => {
  const Bucket = outputs.ArtifactsBucketName;
  const Prefix = `runs/${id}/`;
  const { Contents = [] } = await clients.s3.send(new ListObjectsV2Command({ Bucket, Prefix }));
  const paths = Contents.map(({ Key = '' }) => Key.slice(Prefix.length)).filter((path) => !path.includes('/parts/'));
  const read = async (path: string): Promise<[string, string]> => {
    const { Body } = await clients.s3.send(new GetObjectCommand({ Bucket, Key: Prefix + path }));
    return [sameInEffect(path), shown(sameInEffect((await Body?.transformToString()) ?? ''))];
  };
  return Object.fromEntries(await Promise.all(paths.map(read)));
};
