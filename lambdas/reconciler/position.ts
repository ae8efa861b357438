import { GetObjectCommand, PutObjectCommand, type S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import * as z from 'zod';
import { parseJson } from '../../shared/json';

const positionSchema = z.object({ offset: z.number().int().nonnegative() });
const key = 'reconciler/position.json';

/** Where in Qualia's list of open orders the next run begins, kept as one small object in S3. */
export const createPositionStore = (client: S3Client, bucketName: string) => ({
  /** 0 when nothing readable is kept: a run from the start is always right. */
  load: async (): Promise<number> => {
    try {
      const { Body } = await client.send(new GetObjectCommand({ Bucket: bucketName, Key: key }));
      const parsed = positionSchema.safeParse(parseJson((await Body?.transformToString()) ?? ''));
      return parsed.data?.offset ?? 0;
    } catch (error) {
      // Without the right to list, S3 says 403 of a key that is not there. A right that is missing shows in `save`.
      if (error instanceof S3ServiceException && [403, 404].includes(error.$metadata.httpStatusCode ?? 0)) return 0;
      throw error;
    }
  },

  save: async (offset: number): Promise<void> => {
    await client.send(
      new PutObjectCommand({
        Bucket: bucketName,
        Key: key,
        Body: JSON.stringify({ offset }),
        ContentType: 'application/json',
      }),
    );
  },
});

export type PositionStore = ReturnType<typeof createPositionStore>;
