import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { DescribeExecutionCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import * as z from 'zod';
import type { World } from './world';

/** The result of a run of the sync jobs. */
export interface SyncResult {
  readonly runId: string;
  readonly status: string;
  /** The reason, if it did not succeed. */
  readonly cause: string | undefined;
  /** Job → what it did. Empty if the run did not finish. */
  readonly messages: Readonly<Record<string, string>>;
  /** Copies of the run's objects in the artifacts bucket. */
  readonly folder: string;
}

const portal = 'nowandforeverphoto';
const pollEveryMs = 250;

const outputsSchema = z.object({ StateMachineArn: z.string(), ArtifactsBucketName: z.string() });
const jobSchema = z.object({ message: z.string() });
const summarySchema = z.object({
  reports: z.array(z.string()),
  netlife: jobSchema.optional(),
  iterable: jobSchema.optional(),
});

/**
 * Runs both sync jobs once, Netlife for one portal, waits for their end, and copies their reports to
 * `<stateDirectory>/runs/`.
 */
export const runSync = async (
  world: World,
  stateDirectory: string,
  onProgress: (text: string) => void,
): Promise<SyncResult> => {
  const { aws } = world;
  const common = { region: 'us-east-1', credentials: { accessKeyId: 'local', secretAccessKey: 'local' } };
  const workflows = new SFNClient({ ...common, endpoint: aws.endpoints.sfn });
  const storage = new S3Client({ ...common, endpoint: aws.endpoints.s3, forcePathStyle: true });
  const outputs = outputsSchema.parse(Object.assign({}, ...Object.values(aws.outputs)));
  const { StateMachineArn: stateMachineArn, ArtifactsBucketName: bucketName } = outputs;

  const read = async (key: string): Promise<string | undefined> => {
    const { Body } = await storage
      .send(new GetObjectCommand({ Bucket: bucketName, Key: key }))
      .catch(() => ({ Body: undefined }));
    return Body?.transformToString();
  };

  const runId = `start-${Date.now()}`;
  const input = JSON.stringify({ netlife: { portals: [portal] }, iterable: {} });
  const { executionArn } = await workflows.send(new StartExecutionCommand({ stateMachineArn, name: runId, input }));
  const startedAtMs = Date.now();
  let execution = await workflows.send(new DescribeExecutionCommand({ executionArn }));
  while (execution.status === 'RUNNING') {
    onProgress(`sync jobs running for ${Math.round((Date.now() - startedAtMs) / 1_000)} s`);
    await sleep(pollEveryMs);
    execution = await workflows.send(new DescribeExecutionCommand({ executionArn }));
  }
  onProgress('');

  const folder = `runs/${runId}`;
  const text = await read(`${folder}/summary.json`);
  const { reports = [], ...jobs } = text === undefined ? {} : summarySchema.parse(JSON.parse(text));
  for (const key of reports) {
    const file = path.join(stateDirectory, key);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, (await read(key)) ?? '');
  }
  return {
    runId,
    status: execution.status ?? 'UNKNOWN',
    cause: execution.cause,
    messages: Object.fromEntries(
      Object.entries(jobs).flatMap(([job, outcome]) => (outcome ? [[job, outcome.message]] : [])),
    ),
    folder: path.join(stateDirectory, folder),
  };
};
