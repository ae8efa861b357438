import { randomBytes } from 'node:crypto';
import { HeadObjectCommand } from '@aws-sdk/client-s3';
import { checksumOf, createPayloadStore, type PayloadStore } from '../../../../shared/orders/payload-store';
import { orderId, round } from '../../../support/orders';
import { createClients } from '../../support/clients';
import { createRawBucket } from '../../support/resources';

const clients = createClients();
let bucketName: string;
let payloads: PayloadStore;
beforeAll(async () => {
  bucketName = await createRawBucket(clients);
  payloads = createPayloadStore(clients.s3, bucketName);
});
afterAll(() => clients.destroy());

/** Bytes that text processing would change: invalid UTF-8, all kinds of line ends, a byte order mark, NULs. */
const fragileBytes = Buffer.concat([
  Buffer.from('\uFEFF{"a":\r\n1}\n\0 '),
  Buffer.from([0xc3, 0x28, 0xff]),
  randomBytes(5_000),
]);

test('stores bytes unchanged, and returns their key, checksum and size', async () => {
  const stored = await payloads.keep(orderId('exact'), round(), fragileBytes);
  expect(stored).toEqual({
    s3Key: `raw/exact/${round()}.json`,
    checksum: checksumOf(fragileBytes),
    sizeBytes: fragileBytes.byteLength,
    isNew: true,
  });
  expect(Buffer.from(await payloads.load(stored.s3Key)).equals(fragileBytes)).toBe(true);
});

test.each([0, 1, 2_000_000])('loads a payload of %i bytes unchanged', async (sizeBytes) => {
  const bytes = randomBytes(sizeBytes);
  const { s3Key } = await payloads.keep(orderId(`size-${sizeBytes}`), round(), bytes);
  expect(Buffer.from(await payloads.load(s3Key)).equals(bytes)).toBe(true);
});

test('sends the SHA-256 as the checksum that S3 verifies', async () => {
  const { s3Key, checksum } = await payloads.keep(orderId('checksum'), round(), fragileBytes);
  const head = await clients.s3.send(
    new HeadObjectCommand({ Bucket: bucketName, Key: s3Key, ChecksumMode: 'ENABLED' }),
  );
  expect(head.ChecksumSHA256).toBe(Buffer.from(checksum, 'hex').toString('base64'));
  expect(head.ContentType).toBe('application/json');
});

test('keeps the first bytes of a round, and returns them to later writers', async () => {
  const first = await payloads.keep(orderId('first'), round(), Buffer.from('first'));
  expect(await payloads.keep(orderId('first'), round(), Buffer.from('second, and longer'))).toEqual({
    ...first,
    isNew: false,
  });
  expect(Buffer.from(await payloads.load(first.s3Key)).toString()).toBe('first');
});

test('stores the bytes of each round of an order separately', async () => {
  const one = await payloads.keep(orderId('rounds'), round(1), Buffer.from('one'));
  const two = await payloads.keep(orderId('rounds'), round(2), Buffer.from('two'));
  expect(Buffer.from(await payloads.load(one.s3Key)).toString()).toBe('one');
  expect(Buffer.from(await payloads.load(two.s3Key)).toString()).toBe('two');
});

test('returns the same bytes to concurrent writers', async () => {
  const kept = await Promise.all(
    Array.from({ length: 8 }, (_, index) => payloads.keep(orderId('race'), round(), Buffer.from(`bytes ${index}`))),
  );
  const stored = checksumOf(await payloads.load(`raw/race/${round()}.json`));
  expect(new Set(kept.map(({ checksum }) => checksum))).toEqual(new Set([stored]));
});

test('a missing object is a permanent PAYLOAD_MISSING', async () => {
  await expect(payloads.load('raw/nobody/none.json')).rejects.toMatchObject({
    code: 'PAYLOAD_MISSING',
    retryable: false,
  });
});

test('a missing bucket is a fault of AWS, not a missing payload', async () => {
  const otherPayloads = createPayloadStore(clients.s3, 'no-such-bucket');
  await expect(otherPayloads.load('raw/a/b.json')).rejects.not.toMatchObject({ code: 'PAYLOAD_MISSING' });
});

test('stores the newest rejected response of a round next to the payloads', async () => {
  await payloads.keepRejected(orderId('bad'), round(), Buffer.from('<html>'));
  const kept = await payloads.keepRejected(orderId('bad'), round(), fragileBytes);
  expect(kept.s3Key).toMatch(`rejected/bad/${round()}`);
  expect(Buffer.from(await payloads.load(kept.s3Key)).equals(fragileBytes)).toBe(true);
});
