import { GetObjectCommand } from '@aws-sdk/client-s3';
import { ServiceFault } from './fault';
import type { StageConnection } from './stage-connection';
import type { RunView } from './sync-runs';

/** A file of a run. */
export interface RunFile {
  readonly content: ReadableStream;
  readonly type: string;
  readonly sizeBytes: number | undefined;
}

/**
 * Opens a report file of a run. Files of contacts and users contain personal data, so the caller records who reads it.
 *
 * @param path in the run's folder, such as `summary.json`
 * @throws {ServiceFault} `absent` if the run has not written it
 */
export const openRunFile = async (
  { s3, artifactsBucketName }: Pick<StageConnection, 's3' | 'artifactsBucketName'>,
  { runId, run }: Pick<RunView, 'runId' | 'run'>,
  path: string,
): Promise<RunFile> => {
  const key = run?.reports?.find((report) => report === `runs/${runId}/${path}`);
  if (key === undefined) throw new ServiceFault('absent', `The sync run ${runId} has no file ${path}.`);
  const { Body, ContentType, ContentLength } = await s3.send(
    new GetObjectCommand({ Bucket: artifactsBucketName, Key: key }),
  );
  if (Body === undefined) throw new ServiceFault('absent', `The file ${path} of the sync run ${runId} is empty.`);
  const type = ContentType ?? 'application/octet-stream';
  return { content: Body.transformToWebStream(), type, sizeBytes: ContentLength };
};
