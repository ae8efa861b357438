import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import fc from 'fast-check';
import { type Outcome, outcomeOf } from './outcome';

/** A call of S3. */
export type BucketStep =
  | {
      readonly call: 'put';
      readonly key: string;
      readonly body: string;
      readonly only: 'always' | 'if new' | 'if seen';
    }
  | { readonly call: 'get'; readonly key: string }
  | { readonly call: 'remove'; readonly key: string }
  | { readonly call: 'list'; readonly under: string }
  | { readonly call: 'startUpload'; readonly key: string }
  | { readonly call: 'uploadPart'; readonly number: number; readonly body: string }
  | { readonly call: 'completeUpload' | 'abortUpload' };

const key = fc.constantFrom('a', 'b/c', 'b/é d');
const body = fc.constantFrom('', 'x', 'y');

/** Programs of calls of S3 on a few objects. An `if seen` put requires the ETag of the newest put or get of any key. */
export const bucketPrograms: fc.Arbitrary<readonly BucketStep[]> = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        call: fc.constant('put' as const),
        key,
        body,
        only: fc.constantFrom('always', 'if new', 'if seen'),
      }),
    },
    { weight: 2, arbitrary: fc.record({ call: fc.constant('get' as const), key }) },
    fc.record({ call: fc.constant('remove' as const), key }),
    fc.record({ call: fc.constant('list' as const), under: fc.constantFrom('', 'b/', 'c') }),
    fc.record({ call: fc.constant('startUpload' as const), key }),
    fc.record({ call: fc.constant('uploadPart' as const), number: fc.integer({ min: 1, max: 3 }), body }),
    fc.record({ call: fc.constantFrom('completeUpload', 'abortUpload') }),
  ),
  { minLength: 5, maxLength: 20 },
);

export interface ProgramBucket {
  readonly client: S3Client;
  readonly bucket: string;
  /** Distinguishes the objects of this program from those of others. */
  readonly prefix: string;
  /** Whether the implementation refuses what exceeds a limit. MiniStack does not, so that no call may exceed one. */
  readonly checksLimits: boolean;
}

/** Runs a program. The ids of uploads are the implementation's own. */
export const runBucketProgram = async (
  { client, bucket, prefix, checksLimits }: ProgramBucket,
  steps: readonly BucketStep[],
): Promise<Outcome[]> => {
  let seen = '"00000000000000000000000000000000"';
  let upload: { readonly Bucket: string; readonly Key: string; readonly UploadId: string | undefined } | undefined;
  let parts = new Map<number, string | undefined>();
  const objectOf = (one: string) => ({ Bucket: bucket, Key: prefix + one });
  const remember = (etag: string | undefined): string | undefined => {
    seen = etag ?? seen;
    return etag;
  };
  const conditions = {
    always: () => ({}),
    'if new': () => ({ IfNoneMatch: '*' }),
    'if seen': () => ({ IfMatch: seen }),
  };

  const runStep = async (step: BucketStep): Promise<Outcome> => {
    const current = upload ?? { ...objectOf('a'), UploadId: 'none' };
    switch (step.call) {
      case 'put': {
        const Body = new TextEncoder().encode(step.body);
        const command = new PutObjectCommand({ ...objectOf(step.key), Body, ...conditions[step.only]() });
        return outcomeOf(client.send(command), ({ ETag }) => ({ etag: remember(ETag) }));
      }
      case 'get':
        return outcomeOf(
          client.send(new GetObjectCommand(objectOf(step.key))).then(async ({ Body, ETag }) => ({
            etag: remember(ETag),
            text: await Body?.transformToString(),
          })),
          (object) => object,
        );
      case 'remove':
        return outcomeOf(client.send(new DeleteObjectCommand(objectOf(step.key))), () => ({}));
      case 'list': {
        const command = new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix + step.under });
        return outcomeOf(client.send(command), ({ Contents = [], IsTruncated }) => ({
          objects: Contents.map(({ Key, Size }) => [Key, Size]),
          IsTruncated,
        }));
      }
      case 'startUpload':
        return outcomeOf(client.send(new CreateMultipartUploadCommand(objectOf(step.key))), ({ UploadId }) => {
          upload = { ...objectOf(step.key), UploadId };
          parts = new Map();
          return {};
        });
      case 'uploadPart': {
        const Body = new TextEncoder().encode(step.body);
        const command = new UploadPartCommand({ ...current, PartNumber: step.number, Body });
        return outcomeOf(client.send(command), ({ ETag }) => {
          parts.set(step.number, ETag);
          return { ETag };
        });
      }
      case 'completeUpload': {
        const Parts = [...parts].sort(([a], [b]) => a - b).map(([PartNumber, ETag]) => ({ PartNumber, ETag }));
        // The parts are too small for an upload of several.
        if (Parts.length === 0 || (Parts.length > 1 && !checksLimits)) return {};
        const command = new CompleteMultipartUploadCommand({ ...current, MultipartUpload: { Parts } });
        // S3 may accept or refuse a second call for the same upload.
        upload = undefined;
        parts = new Map();
        return outcomeOf(client.send(command), ({ ETag }) => ({ ETag }));
      }
      case 'abortUpload':
        return outcomeOf(client.send(new AbortMultipartUploadCommand(current)), () => ({}));
    }
  };

  const outcomes: Outcome[] = [];
  for (const step of steps) outcomes.push(await runStep(step));
  return outcomes;
};
