import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import {
  DescribeExecutionCommand,
  type DescribeExecutionCommandOutput,
  RedriveExecutionCommand,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import { clientConfig, s3 } from './pipeline';
import { target } from './target';

const { outputs, simulators, lacks } = target();

/** A portal with few photo jobs. */
export const portal = 'nowandgen';

export const stepFunctions = new SFNClient(clientConfig('sfn'));
const documents = DynamoDBDocumentClient.from(new DynamoDBClient(clientConfig('dynamodb')));

/** Starts a run with a unique name. @returns the execution */
export const startRun = async (input: object, name: string = randomUUID()): Promise<string> => {
  const { executionArn = '' } = await stepFunctions.send(
    new StartExecutionCommand({ stateMachineArn: outputs.StateMachineArn, name, input: JSON.stringify(input) }),
  );
  return executionArn;
};

export const redrive = async (executionArn: string): Promise<void> => {
  await stepFunctions.send(new RedriveExecutionCommand({ executionArn }));
};

/** Waits until an execution has ended. @throws {Error} after 180 s */
export const waitForEnd = async (executionArn: string): Promise<DescribeExecutionCommandOutput> => {
  const deadlineMs = Date.now() + 180_000;
  for (;;) {
    const execution = await stepFunctions.send(new DescribeExecutionCommand({ executionArn }));
    if (execution.status !== 'RUNNING') return execution;
    if (Date.now() > deadlineMs) throw new Error(`Timed out waiting for the end of ${executionArn}`);
    await sleep(100);
  }
};

/** The states that a run of both jobs enters, as far as the target reports them. Each portal has its own execution. */
export const statesOfBoth = lacks.includes('branch-history')
  ? ['PlanRun', 'FinishRun']
  : [
      'PlanRun',
      'CheckLogins',
      'CheckDatabase',
      'CheckKey',
      'Portals',
      'ExtractUsers',
      'PushUsers',
      'Report',
      'FinishRun',
    ];

/** The error name of a failed execution, as far as the target reports it. */
export const errorNamed = (name: string): unknown => (lacks.includes('error-names') ? expect.any(String) : name);

/** The objects of a run, by path in its folder. */
export const readArtifacts = async (runId: string): Promise<ReadonlyMap<string, string>> => {
  const Bucket = outputs.ArtifactsBucketName;
  const Prefix = `runs/${runId}/`;
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix }));
  const read = async (Key: string): Promise<[string, string]> => {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
    return [Key.slice(Prefix.length), (await Body?.transformToString()) ?? ''];
  };
  return new Map(await Promise.all(Contents.map(({ Key = '' }) => read(Key))));
};

export const readRun = async (runId: string): Promise<Record<string, unknown> | undefined> => {
  const key = { TableName: outputs.SyncRunsTableName, Key: { run_id: runId }, ConsistentRead: true };
  return (await documents.send(new GetCommand(key))).Item;
};

/** The simulator of a vendor. */
const vendor = (url: string) => {
  const callControl = async (path: string, method: string, body?: unknown): Promise<unknown> =>
    (await fetch(`${url}${path}`, { method, ...(body !== undefined && { body: JSON.stringify(body) }) })).json();
  return {
    setFaults: (...faults: readonly Record<string, unknown>[]) => callControl('/faults', 'PUT', faults),
    /** The requested paths since the previous call. */
    takeCalls: async (): Promise<string[]> => {
      const { requests } = (await callControl('/requests', 'GET')) as {
        readonly requests: { readonly path: string }[];
      };
      await callControl('/requests', 'DELETE');
      return requests.map(({ path }) => path);
    },
  };
};

export const netlife = vendor(simulators.netlife);
export const iterable = vendor(simulators.iterable);
