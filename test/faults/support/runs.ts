import { createHash } from 'node:crypto';
import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { DescribeExecutionCommand, RedriveExecutionCommand, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { eventually, openClients } from './clients';
import { failS3, killBefore } from './matrix';
import type { InjectedFault } from './scenario';
import { portals, world } from './world';

const clients = openClients();
const { outputs } = world();

interface KindOfRun {
  readonly input: object;
  /** Faults that every row has, besides its own. */
  readonly otherFaults: readonly InjectedFault[];
  /** Selects the rows of this kind of run, so that no two kinds interrupt the same call. */
  readonly includes: (fault: InjectedFault) => boolean;
}

/** Runs with large files are slow. They are only killed or reset: small files cover the error responses of S3. */
const isKillOrReset = ({ interception: { does } }: InjectedFault) => does === 'kill' || does === 'reset';
const isUpload = (fault: InjectedFault) => isKillOrReset(fault) && /Multipart|UploadPart/.test(fault.site.operation);
const isAbort = (fault: InjectedFault) =>
  isKillOrReset(fault) && fault.site.operation.startsWith('AbortMultipartUpload');
const isPage = (fault: InjectedFault) =>
  isKillOrReset(fault) && /^GetObject .*\/page\/.*\/buyers\//.test(fault.site.operation);
const largeNetlife = { netlife: { portals: [portals.large], create_access_keys: true } };
const largeIterable = { dry_run: true, iterable: { plan: 'enterprise' } };

/** The users of each plan are in `users.ts`. */
export const kindsOfRun: Readonly<Record<string, KindOfRun>> = {
  netlife: {
    input: { netlife: { portals: [portals.small], create_access_keys: true } },
    otherFaults: [],
    // The pages of all lists are read by the same code, so one list is enough.
    includes: ({ site }) => !site.operation.includes('/job_users/'),
  },
  'bulk Iterable': {
    // Both parts have a user to read back.
    input: { iterable: { plan: 'basic', confirm: 2 } },
    otherFaults: [],
    includes: ({ site }) => site.lambda.startsWith('iterable-') && !site.operation.endsWith(' sent/iterable.json'),
  },
  'Iterable, only what changed': {
    input: { iterable: { plan: 'free', only_changed: true, on_removed: 'clear', confirm: 0 } },
    otherFaults: [],
    // The other calls are those of a bulk run.
    includes: ({ site: { operation } }) => /(sent|parts\/changed)\/|PutObject .*\/base\.json/.test(operation),
  },
  'single Iterable with a JWT': {
    input: { iterable: { plan: 'free', mode: 'single', use_jwt: true, confirm: 0 } },
    otherFaults: [],
    includes: ({ site }) => site.service === 'http',
  },
  'large Netlife': {
    input: largeNetlife,
    otherFaults: [],
    includes: isUpload,
  },
  'large Netlife, resumed from its pages': {
    input: largeNetlife,
    otherFaults: [
      killBefore('netlife-collect', 's3', `PutObject netlife/${portals.large}/parts/job/:id/00000-last.json`),
    ],
    includes: isPage,
  },
  'large Iterable': { input: largeIterable, otherFaults: [], includes: isUpload },
  'large Iterable, upload aborted': {
    input: largeIterable,
    // All attempts of the SDK fail.
    otherFaults: [1, 2, 3].map((nth) => failS3('iterable-extract', 'UploadPart iterable/query_results_:time.csv', nth)),
    includes: isAbort,
  },
};

const waitForEnd = (executionArn: string) =>
  eventually(`the end of ${executionArn}`, async () => {
    const execution = await clients.stepFunctions.send(new DescribeExecutionCommand({ executionArn }));
    return execution.status === 'RUNNING' ? undefined : execution;
  });

/**
 * Starts a run named after its scenario. Redrives it if it fails, at most twice. @returns the number of redrives
 */
export const runToItsEnd = async (id: string, kind: KindOfRun): Promise<number> => {
  const input = JSON.stringify(kind.input);
  const { executionArn = '' } = await clients.stepFunctions.send(
    new StartExecutionCommand({ stateMachineArn: outputs.StateMachineArn, name: id, input }),
  );
  for (let redrives = 0; ; redrives++) {
    const { status, cause } = await waitForEnd(executionArn);
    if (status === 'SUCCEEDED') return redrives;
    if (redrives === 2) throw new Error(`${id} is ${status} after ${redrives} redrives: ${cause}`);
    await clients.stepFunctions.send(new RedriveExecutionCommand({ executionArn }));
  }
};

/**
 * Masks what can differ between two correct runs: times, durations, numbers of attempts, whether an access key was
 * created by this attempt or a killed one, the run's id, and the portal's port.
 */
export const maskVariations = (text: string): string =>
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

/** Longer files are compared by their hash, because jest prints the difference of two texts. */
const maxComparedLength = 1_000_000;
const comparable = (text: string): string =>
  text.length > maxComparedLength ? createHash('sha256').update(text).digest('hex') : text;

/** The final files of a run by path, without its parts. */
export const finalFiles = async (id: string): Promise<Record<string, string>> => {
  const Bucket = outputs.ArtifactsBucketName;
  const Prefix = `runs/${id}/`;
  const { Contents = [] } = await clients.s3.send(new ListObjectsV2Command({ Bucket, Prefix }));
  const paths = Contents.map(({ Key = '' }) => Key.slice(Prefix.length)).filter((path) => !path.includes('/parts/'));
  const read = async (path: string): Promise<[string, string]> => {
    const { Body } = await clients.s3.send(new GetObjectCommand({ Bucket, Key: Prefix + path }));
    return [maskVariations(path), comparable(maskVariations((await Body?.transformToString()) ?? ''))];
  };
  return Object.fromEntries(await Promise.all(paths.map(read)));
};
