import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { HeadObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { eventually, newStateDirectory, startFixture } from './fixture/start';

/**
 * Starts a fixture whose ports the operating system assigns to nobody, so that no server of another test takes one of
 * them between a kill and the next start.
 */
const startWithReservedPorts = async (stateDirectory: string) => {
  await (await startFixture(stateDirectory)).stop();
  const first = 10_000 + 8 * (process.pid % 1_000);
  const services = ['tables', 'stores', 'secrets', 'lambda', 'stepFunctions', 'logs', 'cloudWatch', 'api'];
  const ports = Object.fromEntries(services.map((service, index) => [service, first + index]));
  writeFileSync(path.join(stateDirectory, 'ports.json'), JSON.stringify(ports));
  return startFixture(stateDirectory);
};

test('a kill at any moment loses no acknowledged write', async () => {
  const stateDirectory = newStateDirectory();
  let aws = await startWithReservedPorts(stateDirectory);
  const before = { endpoints: aws.endpoints, outputs: aws.outputs };
  const acknowledged: string[] = [];
  const objects: string[] = [];

  for (const kill of [0, 1, 2]) {
    const s3 = new S3Client({ ...aws.config, endpoint: aws.endpoints.s3 });
    // The worker is slow, so that each kill finds messages in every state.
    const sending = Array.from({ length: 40 }, async (_, index) => {
      const order_id = `R-${kill}-${index}`;
      const MessageBody = JSON.stringify({ order_id, sleep_ms: 20, fail_first: index % 10 === 0 });
      await sleep(index * 10);
      await aws.sqs.send(new SendMessageCommand({ QueueUrl: aws.pipeline.DownloadQueueUrl, MessageBody }));
      acknowledged.push(order_id);
      await s3.send(new PutObjectCommand({ Bucket: aws.data.RawBucketName, Key: order_id, Body: order_id }));
      objects.push(order_id);
    });
    // After a number of writes, not after a time: on a busy machine, few writes would be acknowledged until then.
    const enough = acknowledged.length + 12 + 6 * kill;
    await eventually(
      async () => acknowledged.length,
      (count) => count >= enough,
    );
    await aws.kill();
    await Promise.allSettled(sending);
    aws = await startFixture(stateDirectory);
    expect({ endpoints: aws.endpoints, outputs: aws.outputs }).toEqual(before);
  }

  expect(acknowledged.length).toBeGreaterThan(30);
  for (const order_id of acknowledged) {
    await eventually(() => aws.order(order_id));
  }
  const s3 = new S3Client({ ...aws.config, endpoint: aws.endpoints.s3 });
  for (const Key of objects) {
    await s3.send(new HeadObjectCommand({ Bucket: aws.data.RawBucketName, Key }));
  }
  await eventually(
    () => aws.depth(aws.pipeline.DownloadQueueUrl),
    ({ visible, inFlight }) => visible + inFlight === 0,
  );
  expect(await aws.depth(aws.pipeline.DownloadDeadLetterQueueUrl)).toEqual({ visible: 0, inFlight: 0 });

  await aws.stop();
  rmSync(stateDirectory, { recursive: true });
});

test('after a kill, a message in flight is visible at once and keeps its receive count', async () => {
  const stateDirectory = newStateDirectory();
  const first = await startFixture(stateDirectory);
  const MessageBody = JSON.stringify({ order_id: 'held', sleep_ms: 2_500 });
  await first.sqs.send(new SendMessageCommand({ QueueUrl: first.pipeline.DownloadQueueUrl, MessageBody }));
  await eventually(
    () => first.depth(first.pipeline.DownloadQueueUrl),
    ({ inFlight }) => inFlight === 1,
  );
  await first.kill();

  const second = await startFixture(stateDirectory);
  expect(await eventually(() => second.order('held'))).toMatchObject({ receives: 2 });
  await second.stop();
  rmSync(stateDirectory, { recursive: true });
});

/** Kinds of writes. */
const kinds = ['orders', 'objects', 'messages'] as const;

// A limit on the size of files simulates a full disk without privileges: writes fail in the same places. Orders
// are stored in LevelDB; objects and messages share a SQLite database, which fills first if all kinds are written.
test.each([...kinds.map((kind) => [kind, [kind]] as const), ['all kinds', kinds] as const])(
  'a disk filled by %s ends the process, and a restart with free space loses no acknowledged write',
  async (_what, written) => {
    const stateDirectory = newStateDirectory();
    await (await startFixture(stateDirectory)).stop();
    let aws = await startFixture(stateDirectory, 'small-files');
    const s3 = new S3Client({ ...aws.config, endpoint: aws.endpoints.s3, maxAttempts: 1 });
    const text = 'x'.repeat(20_000);
    const acknowledged: Record<(typeof kinds)[number], string[]> = { orders: [], objects: [], messages: [] };
    const write = {
      orders: (name: string) => aws.putOrder(name, text),
      objects: (Key: string) => s3.send(new PutObjectCommand({ Bucket: aws.data.RawBucketName, Key, Body: text })),
      messages: (name: string) =>
        aws.sqs.send(
          new SendMessageCommand({ QueueUrl: aws.pipeline.DownloadDeadLetterQueueUrl, MessageBody: name + text }),
        ),
    };
    /** Writes until a write fails, four at a time. */
    const fill = async (kind: (typeof kinds)[number]) => {
      let isFull = false;
      const writer = async (_: unknown, id: number) => {
        for (let index = 0; !isFull; index += 1) {
          const name = `${kind}-${id}-${index}`;
          await write[kind](name).then(
            () => acknowledged[kind].push(name),
            () => {
              isFull = true;
            },
          );
        }
      };
      await Promise.all(Array.from({ length: 4 }, writer));
    };
    await Promise.all(written.map(fill));
    expect(await aws.exit()).not.toBe(0);

    aws = await startFixture(stateDirectory);
    for (const name of acknowledged.orders) expect(await aws.order(name)).toBeDefined();
    const again = new S3Client({ ...aws.config, endpoint: aws.endpoints.s3 });
    for (const Key of acknowledged.objects) {
      await again.send(new HeadObjectCommand({ Bucket: aws.data.RawBucketName, Key }));
    }
    const { visible } = await aws.depth(aws.pipeline.DownloadDeadLetterQueueUrl);
    expect(visible).toBeGreaterThanOrEqual(acknowledged.messages.length);
    expect(Object.values(acknowledged).flat().length).toBeGreaterThan(15);
    await aws.stop();
    rmSync(stateDirectory, { recursive: true });
  },
);
