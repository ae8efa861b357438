import { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  NoSuchKey,
  PutObjectCommand,
  paginateListObjectsV2,
  type S3Client,
  S3ServiceException,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import * as z from 'zod';
import { PipelineError } from '../errors';
import { parseJson } from '../json';

const contentTypes: Readonly<Record<string, string>> = {
  csv: 'text/csv; charset=utf-8',
  json: 'application/json',
  ndjson: 'application/x-ndjson',
  txt: 'text/plain; charset=utf-8',
};

const contentTypeOf = (path: string): string => contentTypes[path.replace(/^.*\./, '')] ?? 'application/octet-stream';

/**
 * S3 requires at least 5 MiB per upload part except the last. A character that does not fit leaves a few bytes unused.
 */
const uploadPartBytes = 6 * 1024 * 1024;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** A partly written object: what another process needs to continue it. */
export const unfinishedSchema = z.object({
  /** Absent while everything fits into `rest`. */
  uploadId: z.string().optional(),
  /** ETags of the uploaded parts, in order. */
  etags: z.array(z.string()),
  /** Text that is not uploaded yet. */
  rest: z.string(),
});
export type Unfinished = z.output<typeof unfinishedSchema>;

/** Writes one object as a stream. The object exists only after `close`. */
export interface ArtifactWriter {
  /** Resolves when the writer accepts more. */
  write(text: string): Promise<void>;
  close(): Promise<void>;
  /** Aborts the upload, unless another writer started it: that one stays, so that a later turn can resume it. */
  abort(): Promise<void>;
  /** What is written so far, for another writer to continue. */
  pause(): Unfinished;
}

/** Whether the upload of a writer no longer exists: it was completed or aborted. */
export const isLostUpload = (error: unknown): boolean =>
  error instanceof S3ServiceException && error.name === 'NoSuchUpload';

/** How often in a row S3 may reject the write of an object because of another write of it at the same time. */
const maxConflicts = 3;

const hasStatus = (error: unknown, statusCode: number): boolean =>
  error instanceof S3ServiceException && error.$metadata.httpStatusCode === statusCode;

/** A run's objects under `runs/<run_id>/` in the artifacts bucket. Paths are relative to that folder. */
const createRunFolder = (client: S3Client, bucketName: string, runId: string) => {
  const root = `runs/${runId}/`;
  const objectOf = (path: string) => ({ Bucket: bucketName, Key: root + path });
  // Always bytes: the SDK does not know the length of an empty string.
  const put = (path: string, body: Uint8Array, onlyOnce: boolean) =>
    client.send(
      new PutObjectCommand({
        ...objectOf(path),
        Body: body,
        ContentType: contentTypeOf(path),
        ...(onlyOnce && { IfNoneMatch: '*' }),
      }),
    );

  const open = async (path: string) => {
    try {
      return (await client.send(new GetObjectCommand(objectOf(path)))).Body;
    } catch (error) {
      if (error instanceof NoSuchKey) return undefined;
      throw error;
    }
  };

  const readText = async (path: string): Promise<string | undefined> => (await open(path))?.transformToString();

  return {
    /** The object's full key, for reports. */
    keyOf: (path: string): string => root + path,

    put: async (path: string, body: string): Promise<void> => void (await put(path, encoder.encode(body), false)),

    /**
     * Writes an object once; an existing one is kept. Parts of a run are written so, as the last step.
     *
     * @returns whether this call wrote it
     */
    putOnce: async (path: string, body: string): Promise<boolean> => {
      for (let attempt = 1; ; attempt++) {
        try {
          await put(path, encoder.encode(body), true);
          return true;
        } catch (error) {
          if (hasStatus(error, 412)) return false;
          // 409: another write was under way, such as one whose response was lost. Write again, or find its object.
          if (!hasStatus(error, 409) || attempt === maxConflicts) throw error;
        }
      }
    },

    /** Paths that start with the prefix. */
    list: async (prefix: string): Promise<ReadonlySet<string>> => {
      const paths = new Set<string>();
      const pages = paginateListObjectsV2({ client }, { Bucket: bucketName, Prefix: root + prefix });
      for await (const { Contents = [] } of pages) {
        for (const { Key = '' } of Contents) paths.add(Key.slice(root.length));
      }
      return paths;
    },

    /** `undefined` if there is no such object. */
    readText,

    /**
     * Reads an object as JSON; `undefined` if there is no such object.
     *
     * @throws {PipelineError} `BAD_PAYLOAD`, permanent, if it does not match the schema
     */
    readJson: async <T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> => {
      const text = await readText(path);
      if (text === undefined) return undefined;
      const parsed = schema.safeParse(parseJson(text));
      if (parsed.success) return parsed.data;
      throw new PipelineError('BAD_PAYLOAD', `The part ${root}${path} cannot be read`, { retryable: false });
    },

    /** Streams the bytes of an object; none if there is no such object. */
    async *readBytes(path: string): AsyncGenerator<Uint8Array> {
      const body = await open(path);
      if (body instanceof Readable) yield* body;
    },

    /**
     * Opens an object to be written piece by piece. Memory holds one upload part, whatever the object's size.
     *
     * @param unfinished the state at which another writer paused
     */
    openWriter: (path: string, unfinished?: Unfinished): ArtifactWriter => {
      // One buffer for all upload parts: garbage of this size would be collected late.
      const buffer = new Uint8Array(uploadPartBytes);
      let filledBytes = encoder.encodeInto(unfinished?.rest ?? '', buffer).written;
      let uploadId = unfinished?.uploadId;
      const etags = [...(unfinished?.etags ?? [])];

      const upload = async (): Promise<void> => {
        uploadId ??= (
          await client.send(new CreateMultipartUploadCommand({ ...objectOf(path), ContentType: contentTypeOf(path) }))
        ).UploadId;
        const PartNumber = etags.length + 1;
        const Body = buffer.subarray(0, filledBytes);
        const { ETag } = await client.send(
          new UploadPartCommand({ ...objectOf(path), UploadId: uploadId, PartNumber, Body }),
        );
        if (ETag === undefined) throw new Error(`S3 gave no ETag for a part of ${path}`);
        etags.push(ETag);
        filledBytes = 0;
      };

      return {
        write: async (text) => {
          for (let rest = text; rest !== ''; ) {
            const { read, written } = encoder.encodeInto(rest, buffer.subarray(filledBytes));
            filledBytes += written;
            rest = rest.slice(read);
            if (rest !== '') await upload();
          }
        },

        close: async () => {
          if (uploadId === undefined) return void (await put(path, buffer.subarray(0, filledBytes), false));
          if (filledBytes > 0) await upload();
          await client.send(
            new CompleteMultipartUploadCommand({
              ...objectOf(path),
              UploadId: uploadId,
              MultipartUpload: { Parts: etags.map((ETag, index) => ({ ETag, PartNumber: index + 1 })) },
            }),
          );
        },

        abort: async () => {
          if (uploadId === undefined || uploadId === unfinished?.uploadId) return;
          await client.send(new AbortMultipartUploadCommand({ ...objectOf(path), UploadId: uploadId }));
        },

        pause: () => ({ uploadId, etags: [...etags], rest: decoder.decode(buffer.subarray(0, filledBytes)) }),
      };
    },
  };
};

export type RunFolder = ReturnType<typeof createRunFolder>;

/** Opens the folder of a run by its id, without a call. */
export type OpenRunFolder = (runId: string) => RunFolder;

/** The folders of all runs. */
export const createRunFolders =
  (client: S3Client, bucketName: string): OpenRunFolder =>
  (runId) =>
    createRunFolder(client, bucketName, runId);
