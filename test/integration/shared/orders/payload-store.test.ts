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

/** All that a JSON file would not survive: broken UTF-8, line ends of every kind, a byte order mark, nulls. */
const awkward = Buffer.concat([
  Buffer.from('\uFEFF{"a":\r\n1}\n\0 '),
  Buffer.from([0xc3, 0x28, 0xff]),
  randomBytes(5_000),
]);

test('bytes are kept exactly, and described', async () => {
  const stored = await payloads.keep(orderId('exact'), round(), awkward);
  expect(stored).toEqual({
    s3Key: `raw/exact/${round()}.json`,
    checksum: checksumOf(awkward),
    sizeBytes: awkward.byteLength,
    isNew: true,
  });
  expect(Buffer.from(await payloads.load(stored.s3Key)).equals(awkward)).toBe(true);
});

test.each([0, 1, 2_000_000])('a payload of %i bytes comes back as it was', async (sizeBytes) => {
  const bytes = randomBytes(sizeBytes);
  const { s3Key } = await payloads.keep(orderId(`size-${sizeBytes}`), round(), bytes);
  expect(Buffer.from(await payloads.load(s3Key)).equals(bytes)).toBe(true);
});

test('the SHA-256 goes along as the checksum that S3 verifies', async () => {
  const { s3Key, checksum } = await payloads.keep(orderId('checksum'), round(), awkward);
  const head = await clients.s3.send(
    new HeadObjectCommand({ Bucket: bucketName, Key: s3Key, ChecksumMode: 'ENABLED' }),
  );
  expect(head.ChecksumSHA256).toBe(Buffer.from(checksum, 'hex').toString('base64'));
  expect(head.ContentType).toBe('application/json');
});

test('the first bytes of a round are kept, and later writers get them', async () => {
  const first = await payloads.keep(orderId('first'), round(), Buffer.from('first'));
  expect(await payloads.keep(orderId('first'), round(), Buffer.from('second, and longer'))).toEqual({
    ...first,
    isNew: false,
  });
  expect(Buffer.from(await payloads.load(first.s3Key)).toString()).toBe('first');
});

test('each round of an order has bytes of its own', async () => {
  const one = await payloads.keep(orderId('rounds'), round(1), Buffer.from('one'));
  const two = await payloads.keep(orderId('rounds'), round(2), Buffer.from('two'));
  expect(Buffer.from(await payloads.load(one.s3Key)).toString()).toBe('one');
  expect(Buffer.from(await payloads.load(two.s3Key)).toString()).toBe('two');
});

test('deliveries at the same time all speak of the same bytes', async () => {
  const kept = await Promise.all(
    Array.from({ length: 8 }, (_, index) => payloads.keep(orderId('race'), round(), Buffer.from(`bytes ${index}`))),
  );
  const stored = checksumOf(await payloads.load(`raw/race/${round()}.json`));
  expect(new Set(kept.map(({ checksum }) => checksum))).toEqual(new Set([stored]));
});

test('an object that is not there is PAYLOAD_MISSING, for good', async () => {
  await expect(payloads.load('raw/nobody/none.json')).rejects.toMatchObject({
    code: 'PAYLOAD_MISSING',
    retryable: false,
  });
});

test('a bucket that is not there is a fault of AWS, not a missing payload', async () => {
  const elsewhere = createPayloadStore(clients.s3, 'no-such-bucket');
  await expect(elsewhere.load('raw/a/b.json')).rejects.not.toMatchObject({ code: 'PAYLOAD_MISSING' });
});

test('a rejected answer is kept beside the payloads, the newest one of a round', async () => {
  await payloads.keepRejected(orderId('bad'), round(), Buffer.from('<html>'));
  const kept = await payloads.keepRejected(orderId('bad'), round(), awkward);
  expect(kept.s3Key).toMatch(`rejected/bad/${round()}`);
  expect(Buffer.from(await payloads.load(kept.s3Key)).equals(awkward)).toBe(true);
});
