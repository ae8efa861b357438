import { hash } from 'node:crypto';
import { Readable } from 'node:stream';
import { GetObjectCommand, NoSuchKey, PutObjectCommand, type S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import { PipelineError } from '../errors';
import { maxOrderBytes } from '../http/order-api';
import type { Checksum, OrderId, Round } from './order';
import type { OrderMemory } from './order-memory';

/** A raw payload in S3. */
export interface StoredPayload {
  readonly s3Key: string;
  /** SHA-256 over the raw bytes. */
  readonly checksum: Checksum;
  readonly sizeBytes: number;
}

/** Maximum number of writes of one payload that conflict with another delivery's write. */
const maxConflicts = 3;

const sha256 = (bytes: Uint8Array): Buffer => hash('sha256', bytes, 'buffer');

/** SHA-256 over raw bytes, as 64 hex digits. */
export const checksumOf = (bytes: Uint8Array): Checksum => sha256(bytes).toString('hex') as Checksum;

const tooLarge = (s3Key: string): PipelineError =>
  new PipelineError('BAD_PAYLOAD', `The raw payload ${s3Key} is larger than any order`, { retryable: false });

/** The bucket of raw payloads: Qualia's responses, byte for byte. */
export const createPayloadStore = (client: S3Client, bucketName: string) => {
  const put = async (s3Key: string, bytes: Uint8Array, onlyOnce: boolean): Promise<StoredPayload> => {
    const digest = sha256(bytes);
    await client.send(
      new PutObjectCommand({
        Bucket: bucketName,
        Key: s3Key,
        Body: bytes,
        ContentType: 'application/json',
        ChecksumSHA256: digest.toString('base64'),
        ...(onlyOnce && { IfNoneMatch: '*' }),
      }),
    );
    return { s3Key, checksum: digest.toString('hex') as Checksum, sizeBytes: bytes.byteLength };
  };

  /**
   * @param memory for the payload, which is then an order's. Default: unlimited
   * @throws {PipelineError} `PAYLOAD_MISSING`: permanent on 404; retryable on 403, which can also mean a missing
   * permission (S3 returns it for a missing object if the caller has no permission to list the bucket)
   * @throws {PipelineError} with limited memory: `BAD_PAYLOAD`, permanent, for more bytes than an order can have;
   * `TIMEOUT`, retryable, if there was no memory in time
   */
  const load = async (s3Key: string, memory?: OrderMemory): Promise<Uint8Array> => {
    try {
      for (;;) {
        const { Body, ContentLength } = await client.send(new GetObjectCommand({ Bucket: bucketName, Key: s3Key }));
        // Without the header, the lean client returns NaN.
        const sizeBytes = Number.isInteger(ContentLength) ? Number(ContentLength) : maxOrderBytes;
        const isOrder = sizeBytes <= maxOrderBytes;
        if (memory === undefined || (isOrder && memory.tryReserve(sizeBytes))) {
          return (await Body?.transformToByteArray()) ?? new Uint8Array();
        }
        // A connection that waits for seconds would be closed, so the object is requested again.
        if (Body instanceof Readable) Body.destroy();
        if (!isOrder) throw tooLarge(s3Key);
        await memory.reserve(sizeBytes);
      }
    } catch (cause) {
      const missing = cause instanceof NoSuchKey;
      const denied = cause instanceof S3ServiceException && cause.name === 'AccessDenied';
      if (!missing && !denied) throw cause;
      throw new PipelineError('PAYLOAD_MISSING', `There is no raw payload ${s3Key}, or none that we may read`, {
        retryable: denied,
        cause,
      });
    }
  };

  return {
    load,

    /**
     * Stores the payload of a round. The first stored bytes are kept: a second delivery of the same message gets those
     * (`isNew: false`), so that the checksums in the table and in the message always belong to the same object.
     */
    keep: async (
      orderId: OrderId,
      round: Round,
      bytes: Uint8Array,
    ): Promise<StoredPayload & { readonly isNew: boolean }> => {
      const s3Key = `raw/${orderId}/${round}.json`;
      for (let attempt = 1; ; attempt++) {
        try {
          return { ...(await put(s3Key, bytes, true)), isNew: true };
        } catch (error) {
          const statusCode = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
          // 409: two deliveries wrote concurrently and S3 rejected both. Write again, or find the object of the other
          // one.
          if (statusCode === 409 && attempt < maxConflicts) continue;
          if (statusCode !== 412) throw error;
          const kept = await load(s3Key);
          return { s3Key, checksum: checksumOf(kept), sizeBytes: kept.byteLength, isNew: false };
        }
      }
    },

    /** Stores a response that could not be read, for a person to inspect. */
    keepRejected: (orderId: OrderId, round: Round, bytes: Uint8Array): Promise<StoredPayload> =>
      put(`rejected/${orderId}/${round}.txt`, bytes, false),
  };
};

export type PayloadStore = ReturnType<typeof createPayloadStore>;
