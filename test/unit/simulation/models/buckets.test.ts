import { PutObjectCommand, paginateListObjectsV2, S3Client } from '@aws-sdk/client-s3';
import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { createBuckets } from '../../../simulation/models/buckets';
import { asSdkClient } from '../../../simulation/models/client';
import { createSecrets } from '../../../simulation/models/secrets';
import { createWorld } from './world';

describe('the model of S3', () => {
  const put = (key: string) =>
    new PutObjectCommand({ Bucket: 'raw', Key: key, Body: new Uint8Array([1]), IfNoneMatch: '*' });

  it('rejects a conditional write because of another one if the seed says so', async () => {
    const world = createWorld();
    const { client, objects } = createBuckets(world, { buckets: ['raw'], conflictShare: 0.5 });
    world.choose(0);
    const refusal = { name: 'ConditionalRequestConflict', $metadata: { httpStatusCode: 409 } };
    await expect(client.send(put('a'))).rejects.toMatchObject(refusal);
    expect(objects('raw').size).toBe(0);
  });

  it("lists page by page for the SDK's paginator", async () => {
    const { client } = createBuckets(createWorld(), { buckets: ['raw'], pageSize: 2 });
    for (const key of ['b', 'a', 'c']) await client.send(put(key));
    const keys: unknown[] = [];
    for await (const { Contents } of paginateListObjectsV2(
      { client: asSdkClient(S3Client, client) },
      { Bucket: 'raw' },
    )) {
      keys.push(Contents?.map(({ Key }) => Key));
    }
    expect(keys).toEqual([['a', 'b'], ['c']]);
  });
});

describe('the model of Secrets Manager', () => {
  it('returns the newest value, and refuses an unknown secret', async () => {
    const { client, put } = createSecrets({ api: { key: 'a' } });
    const get = (SecretId: string) => client.send(new GetSecretValueCommand({ SecretId }));
    put('api', { key: 'b' });
    expect(await get('api')).toMatchObject({ SecretString: '{"key":"b"}' });
    await expect(get('other')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });
});
