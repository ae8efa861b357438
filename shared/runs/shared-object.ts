import { GetObjectCommand, NoSuchKey, PutObjectCommand, type S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import type * as z from 'zod';
import { PipelineError } from '../errors';
import { parseJson } from '../json';

export interface SharedObjectOptions<T> {
  readonly client: S3Client;
  readonly bucketName: string;
  readonly key: string;
  readonly schema: z.ZodType<T>;
  /** The value while there is no object, or one that cannot be read. */
  readonly initial: T;
}

const maxAttempts = 5;

/** Whether somebody else wrote the object since it was read. */
const isConflict = (error: unknown): boolean =>
  error instanceof S3ServiceException && [404, 409, 412].includes(error.$metadata.httpStatusCode ?? 0);

/** A small JSON object in S3 that several runs change. Every write is conditional on what was read. */
export const createSharedObject = <T>({ client, bucketName, key, schema, initial }: SharedObjectOptions<T>) => {
  const place = { Bucket: bucketName, Key: key };

  const load = async (): Promise<{ readonly value: T; readonly etag: string | undefined }> => {
    try {
      const { Body, ETag } = await client.send(new GetObjectCommand(place));
      const parsed = schema.safeParse(parseJson((await Body?.transformToString()) ?? ''));
      return { value: parsed.success ? parsed.data : initial, etag: ETag };
    } catch (error) {
      if (error instanceof NoSuchKey) return { value: initial, etag: undefined };
      throw error;
    }
  };

  /** @returns whether nobody else wrote the object since it was read */
  const save = async (value: T, etag: string | undefined): Promise<boolean> => {
    // Bytes: the SDK does not know the length of a string.
    const Body = new TextEncoder().encode(`${JSON.stringify(value, undefined, 2)}\n`);
    const condition = etag === undefined ? { IfNoneMatch: '*' } : { IfMatch: etag };
    try {
      await client.send(new PutObjectCommand({ ...place, Body, ContentType: 'application/json', ...condition }));
      return true;
    } catch (error) {
      if (isConflict(error)) return false;
      throw error;
    }
  };

  return {
    read: async (): Promise<T> => (await load()).value,

    /**
     * Changes the object, again if another run changed it at the same time.
     *
     * @param change returns the new value; undefined if nothing is to be written
     * @throws {PipelineError} `RUN_TAKEN_OVER` after five lost attempts
     */
    update: async (change: (value: T) => T | undefined): Promise<void> => {
      for (let attempt = 1; attempt <= maxAttempts; attempt++) {
        const { value, etag } = await load();
        const changed = change(value);
        if (changed === undefined || (await save(changed, etag))) return;
      }
      throw new PipelineError('RUN_TAKEN_OVER', `Other runs change ${key}`, { retryable: false });
    },
  };
};
