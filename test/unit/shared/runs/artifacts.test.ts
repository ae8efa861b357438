import { S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import { createRunFolders } from '../../../../shared/runs/artifacts';
import { asSdkClient, metadata } from '../../../simulation/models/client';

const rejection = (name: string, statusCode: number) =>
  new S3ServiceException({ name, $fault: 'client', ...metadata(statusCode) });
const conflict = rejection('ConditionalRequestConflict', 409);

/** A folder in a bucket that rejects the first writes with these errors. */
const folderWith = (errors: readonly S3ServiceException[]) => {
  const left = [...errors];
  const send = async (): Promise<object> => {
    const error = left.shift();
    if (error !== undefined) throw error;
    return {};
  };
  return createRunFolders(asSdkClient(S3Client, { send }), 'artifacts')('run-1');
};

describe('writing an object once', () => {
  it('writes again after a conflict with another write', async () => {
    expect(await folderWith([conflict, conflict]).putOnce('part.json', 'first')).toBe(true);
  });

  it('keeps the object of the other write', async () => {
    const exists = rejection('PreconditionFailed', 412);
    expect(await folderWith([conflict, exists]).putOnce('part.json', 'second')).toBe(false);
  });

  it('fails if the conflicts do not end', async () => {
    await expect(folderWith(Array.from({ length: 3 }, () => conflict)).putOnce('part.json', 'x')).rejects.toBe(
      conflict,
    );
  });
});
