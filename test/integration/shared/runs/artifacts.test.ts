import { ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import { createRunFolders, type RunFolder, writeTogether } from '../../../../shared/runs/artifacts';
import { createClients } from '../../support/clients';
import { createBucket } from '../../support/resources';

const clients = createClients();
let bucketName: string;
let folder: RunFolder;
beforeAll(async () => {
  bucketName = await createBucket(clients, 'artifacts');
  folder = createRunFolders(clients.s3, bucketName)('run-1');
});
afterAll(() => clients.destroy());

const openUploads = async () =>
  (await clients.s3.send(new ListMultipartUploadsCommand({ Bucket: bucketName }))).Uploads ?? [];

test('a part is written once: what is there stays', async () => {
  expect(await folder.putOnce('part.json', 'first')).toBe(true);
  expect(await folder.putOnce('part.json', 'second')).toBe(false);
  expect(await folder.readText('part.json')).toBe('first');
  expect(folder.keyOf('part.json')).toBe('runs/run-1/part.json');
});

test('what is not there is nothing, and a list has only its own run', async () => {
  expect(await folder.readText('missing.json')).toBeUndefined();
  for await (const _chunk of folder.readBytes('missing.json')) throw new Error('There is something');
  await createRunFolders(clients.s3, bucketName)('run-10').putOnce('parts/x', '');
  await folder.putOnce('parts/a', '');
  expect([...(await folder.list('parts/'))]).toEqual(['parts/a']);
});

describe('a writer', () => {
  const line = `${'ä'.repeat(500)}\n`;

  test.each([0, 1, 30_000])('of %s lines', async (count) => {
    const path = `lines-${count}.txt`;
    await writeTogether([folder.openWriter(path)], async (writer) => {
      for (let written = 0; written < count; written++) await writer.write(line);
    });
    let bytes = 0;
    for await (const chunk of folder.readBytes(path)) bytes += chunk.length;
    expect(bytes).toBe(count * Buffer.byteLength(line));
    expect(await openUploads()).toEqual([]);
  });

  test('that fails leaves nothing', async () => {
    const work = writeTogether([folder.openWriter('broken.txt')], async (writer) => {
      for (let written = 0; written < 20_000; written++) await writer.write(line);
      throw new Error('no more');
    });
    await expect(work).rejects.toThrow('no more');
    expect(await folder.readText('broken.txt')).toBeUndefined();
    expect(await openUploads()).toEqual([]);
  });
});
