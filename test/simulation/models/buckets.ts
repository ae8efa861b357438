import { hash } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  type AbortMultipartUploadCommandInput,
  type CompleteMultipartUploadCommandInput,
  type CreateMultipartUploadCommandInput,
  type DeleteObjectCommandInput,
  type GetObjectCommandInput,
  type ListObjectsV2CommandInput,
  NoSuchBucket,
  NoSuchKey,
  NoSuchUpload,
  type PutObjectCommandInput,
  S3ServiceException,
  type UploadPartCommandInput,
} from '@aws-sdk/client-s3';
import type { SimulatedWorld } from '../world';
import { clientOf, metadata } from './client';

export interface BucketsOptions {
  readonly buckets: readonly string[];
  /** The share of conditional writes that S3 rejects with 409, because of another write of the same key. Default: 0. */
  readonly conflictShare?: number;
  /** The number of keys in a page of a list. Default: 1,000, as in S3. */
  readonly pageSize?: number;
}

/** An object as an oracle sees it. */
export interface StoredObject {
  readonly content: Content;
  readonly contentType: string | undefined;
  readonly writtenAtMs: number;
}

interface Content {
  readonly bytes: Uint8Array;
  readonly etag: string;
}

interface Upload {
  readonly bucket: string;
  readonly key: string;
  readonly contentType: string | undefined;
  readonly parts: Map<number, Content>;
}

/** The minimum of each part of an upload except the last. */
const minPartBytes = 5 * 1024 * 1024;

/** The content of an object, with the functions that the SDK adds to it. */
class Body extends Readable {
  constructor(private readonly bytes: Uint8Array) {
    super();
  }
  override _read(): void {
    if (this.bytes.byteLength > 0) this.push(this.bytes);
    this.push(null);
  }
  readonly transformToByteArray = async (): Promise<Uint8Array> => new Uint8Array(this.bytes);
  readonly transformToString = async (): Promise<string> => new TextDecoder().decode(this.bytes);
}

const fault = (name: string, statusCode: number): S3ServiceException =>
  new S3ServiceException({ name, message: name, $fault: 'client', ...metadata(statusCode) });

/** Copies a body: the caller may use its buffer again. */
const bytesOf = (body: PutObjectCommandInput['Body']): Uint8Array => {
  if (typeof body === 'string') return Buffer.from(body);
  if (body instanceof Uint8Array) return new Uint8Array(body);
  if (body === undefined) return new Uint8Array();
  throw new Error('The buckets have no model of a stream as a body');
};

const md5Of = (bytes: Uint8Array): string => `"${hash('md5', bytes)}"`;

/** Bytes with their ETag, which is computed when it is read for the first time. */
const withEtag = (bytes: Uint8Array): Content => {
  let etag: string | undefined;
  return {
    bytes,
    get etag() {
      etag ??= md5Of(bytes);
      return etag;
    },
  };
};

const etagResponse = (object: { readonly etag: string }) => ({
  get ETag(): string {
    return object.etag;
  },
});

/** Whether the condition of a write fails, and how. */
const refusalOf = (
  { IfNoneMatch, IfMatch }: PutObjectCommandInput,
  existing: StoredObject | undefined,
): S3ServiceException | undefined => {
  if (IfNoneMatch !== undefined && existing !== undefined) return fault('PreconditionFailed', 412);
  if (IfMatch === undefined) return;
  if (existing === undefined) return new NoSuchKey({ message: 'The key does not exist', ...metadata(404) });
  return existing.content.etag === IfMatch ? undefined : fault('PreconditionFailed', 412);
};

/** S3. It takes the choice of which concurrent writes conflict from the seed. */
export const createBuckets = (world: SimulatedWorld, options: BucketsOptions) => {
  const { conflictShare = 0, pageSize = 1_000 } = options;
  const stored = new Map(options.buckets.map((name) => [name, new Map<string, StoredObject>()]));
  const uploads = new Map<string, Upload>();
  /** Upload → the response of its completion. */
  const completedUploads = new Map<string, object>();
  let startedUploads = 0;

  const bucketOf = (name: string | undefined): Map<string, StoredObject> => {
    const objects = stored.get(name ?? '');
    if (objects !== undefined) return objects;
    throw new NoSuchBucket({ message: 'The specified bucket does not exist', ...metadata(404) });
  };

  const uploadOf = (id: string | undefined, key: string | undefined): Upload => {
    const upload = uploads.get(id ?? '');
    if (upload !== undefined && upload.key === key) return upload;
    throw new NoSuchUpload({ message: 'The specified upload does not exist', ...metadata(404) });
  };

  const client = clientOf({
    PutObjectCommand: (input: PutObjectCommandInput) => {
      const objects = bucketOf(input.Bucket);
      const key = input.Key ?? '';
      const isConditional = input.IfNoneMatch !== undefined || input.IfMatch !== undefined;
      if (isConditional && conflictShare > 0 && world.random() < conflictShare) {
        throw fault('ConditionalRequestConflict', 409);
      }
      const refusal = refusalOf(input, objects.get(key));
      if (refusal !== undefined) throw refusal;
      const content = withEtag(bytesOf(input.Body));
      objects.set(key, { content, contentType: input.ContentType, writtenAtMs: world.now() });
      return etagResponse(content);
    },

    GetObjectCommand: ({ Bucket, Key = '' }: GetObjectCommandInput) => {
      const object = bucketOf(Bucket).get(Key);
      if (object === undefined) throw new NoSuchKey({ message: 'The specified key does not exist.', ...metadata(404) });
      return {
        Body: new Body(object.content.bytes),
        ContentLength: object.content.bytes.byteLength,
        ContentType: object.contentType,
        get ETag(): string {
          return object.content.etag;
        },
      };
    },

    DeleteObjectCommand: ({ Bucket, Key = '' }: DeleteObjectCommandInput) => {
      bucketOf(Bucket).delete(Key);
      return {};
    },

    ListObjectsV2Command: ({ Bucket, Prefix = '', ContinuationToken }: ListObjectsV2CommandInput) => {
      const objects = bucketOf(Bucket);
      const keys = [...objects.keys()].filter((key) => key.startsWith(Prefix) && key > (ContinuationToken ?? ''));
      const page = keys.sort().slice(0, pageSize);
      const isTruncated = page.length < keys.length;
      return {
        Contents: page.map((Key) => ({ Key, Size: objects.get(Key)?.content.bytes.byteLength })),
        KeyCount: page.length,
        IsTruncated: isTruncated,
        ...(isTruncated && { NextContinuationToken: page.at(-1) }),
      };
    },

    CreateMultipartUploadCommand: ({ Bucket = '', Key = '', ContentType }: CreateMultipartUploadCommandInput) => {
      bucketOf(Bucket);
      const UploadId = `upload-${++startedUploads}`;
      uploads.set(UploadId, { bucket: Bucket, key: Key, contentType: ContentType, parts: new Map() });
      return { UploadId };
    },

    UploadPartCommand: ({ Key, UploadId, PartNumber = 0, Body: body }: UploadPartCommandInput) => {
      const content = withEtag(bytesOf(body));
      uploadOf(UploadId, Key).parts.set(PartNumber, content);
      return etagResponse(content);
    },

    CompleteMultipartUploadCommand: (input: CompleteMultipartUploadCommandInput) => {
      const completed = completedUploads.get(input.UploadId ?? '');
      // S3 accepts or refuses a second call for the same upload.
      if (completed !== undefined && world.random() < 0.5) return completed;
      const { bucket, key, contentType, parts } = uploadOf(input.UploadId, input.Key);
      const named = input.MultipartUpload?.Parts ?? [];
      const chosen = named.map(({ ETag, PartNumber = 0 }) => {
        const part = parts.get(PartNumber);
        if (part === undefined || part.etag !== ETag) throw fault('InvalidPart', 400);
        return part;
      });
      if (chosen.length === 0) throw fault('MalformedXML', 400);
      if (named.some(({ PartNumber = 0 }, index) => PartNumber <= (named[index - 1]?.PartNumber ?? 0))) {
        throw fault('InvalidPartOrder', 400);
      }
      if (chosen.slice(0, -1).some(({ bytes }) => bytes.byteLength < minPartBytes)) throw fault('EntityTooSmall', 400);
      const digests = chosen.map(({ etag }) => Buffer.from(etag.slice(1, -1), 'hex'));
      const etag = `"${hash('md5', Buffer.concat(digests))}-${chosen.length}"`;
      const bytes = Buffer.concat(chosen.map((part) => part.bytes));
      bucketOf(bucket).set(key, { content: { bytes, etag }, contentType, writtenAtMs: world.now() });
      uploads.delete(input.UploadId ?? '');
      const response = { Bucket: bucket, Key: key, ETag: etag };
      completedUploads.set(input.UploadId ?? '', response);
      return response;
    },

    AbortMultipartUploadCommand: ({ UploadId, Key }: AbortMultipartUploadCommandInput) => {
      uploadOf(UploadId, Key);
      uploads.delete(UploadId ?? '');
      return {};
    },
  });

  return {
    client,
    /** Writes an object, as an earlier release left it. */
    put: (bucket: string, key: string, bytes: Uint8Array): void => {
      const stored = { content: withEtag(bytes), contentType: undefined, writtenAtMs: world.now() };
      bucketOf(bucket).set(key, stored);
    },
    /** The objects of a bucket by key. */
    objects: (bucket: string): ReadonlyMap<string, StoredObject> => bucketOf(bucket),
    /** The keys with an upload that was neither completed nor aborted. */
    openUploads: (): readonly string[] => [...uploads.values()].map(({ key }) => key),
  };
};
