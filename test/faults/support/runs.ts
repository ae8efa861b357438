import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { DescribeExecutionCommand, RedriveExecutionCommand, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { eventually, openClients } from './ask';
import { portal, world } from './world';

const clients = openClients();
const { outputs } = world();

const inputs = { netlifeRun: { netlife: { portals: [portal] } }, iterableRun: { iterable: {} } };
export type RunKind = keyof typeof inputs;

const ended = (executionArn: string): Promise<string> =>
  eventually(`the end of ${executionArn}`, async () => {
    const { status } = await clients.stepFunctions.send(new DescribeExecutionCommand({ executionArn }));
    return status === 'RUNNING' ? undefined : status;
  });

/** Runs a job under the id of its cell; redrives it as an operator would, when it fails. @returns the redrives */
export const runToItsEnd = async (id: string, kind: RunKind): Promise<number> => {
  const input = JSON.stringify(inputs[kind]);
  const { executionArn = '' } = await clients.stepFunctions.send(
    new StartExecutionCommand({ stateMachineArn: outputs.StateMachineArn, name: id, input }),
  );
  for (let redrives = 0; ; redrives++) {
    const status = await ended(executionArn);
    if (status === 'SUCCEEDED') return redrives;
    if (redrives === 2) throw new Error(`${id} is ${status} after ${redrives} redrives`);
    await clients.stepFunctions.send(new RedriveExecutionCommand({ executionArn }));
  }
};

/**
 * What differs from run to run without a fault: times, how long things took, how often a call was tried, the run's id,
 * and the port at which a process found the portal.
 */
const sameInEffect = (text: string): string =>
  text
    .replaceAll(/QO-FAULT-\d{5}/g, 'RUN')
    .replaceAll(/http:\/\/127\.0\.0\.1:\d+/g, 'ORIGIN')
    .replaceAll(/Duration: [\d:]+|(?<=API Calls:\n)( {2}- \w+: \d+\n)+/g, 'CALLS')
    .replaceAll(/\d{8}_\d{6}/g, 'STAMP')
    .replaceAll(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?/g, 'TIME')
    .replaceAll(
      /"(duration_seconds|api_calls_total|api_calls_failed|retries|cache_hits|cache_misses|attempt|response_time_ms)": ?[\d.]+/g,
      '"$1":0',
    );

/** The final files of a run, by their paths: of the parts that they were made from, nothing. */
export const finalFiles = async (id: string): Promise<Record<string, string>> => {
  const Bucket = outputs.ArtifactsBucketName;
  const Prefix = `runs/${id}/`;
  const { Contents = [] } = await clients.s3.send(new ListObjectsV2Command({ Bucket, Prefix }));
  const paths = Contents.map(({ Key = '' }) => Key.slice(Prefix.length)).filter((path) => !path.includes('/parts/'));
  const read = async (path: string): Promise<[string, string]> => {
    const { Body } = await clients.s3.send(new GetObjectCommand({ Bucket, Key: Prefix + path }));
    return [sameInEffect(path), sameInEffect((await Body?.transformToString()) ?? '')];
  };
  return Object.fromEntries(await Promise.all(paths.map(read)));
};
