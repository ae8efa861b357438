import { hash } from 'node:crypto';
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { type RefusedBody, refusedKey } from '../../shared/refused-bodies';

/** Stores refused bodies in S3. */
export const createRefusedBodyStore =
  (client: S3Client, bucketName: string) =>
  /**
   * Stores a body under an id that it determines: the same body, refused again, replaces the object.
   *
   * @returns the id
   */
  async (refused: RefusedBody): Promise<string> => {
    const id = hash('sha256', refused.body, 'hex').slice(0, 32);
    await client.send(
      new PutObjectCommand({
        Bucket: bucketName,
        Key: refusedKey(id),
        Body: JSON.stringify(refused),
        ContentType: 'application/json',
      }),
    );
    return id;
  };

export type StoreRefusedBody = ReturnType<typeof createRefusedBodyStore>;
