import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { GetQueueAttributesCommand, SetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import {
  activity,
  call,
  closedOrder,
  eventually,
  internalOrder,
  orderAtQualia,
  post,
  sqs,
} from '../e2e/support/pipeline';
import { target } from '../e2e/support/target';
import { deploy } from './cdk';
import { deployment } from './deployment';
import { writeNextRelease } from './next-release';

const minimumOrders = 200;
/** Concurrent senders; each waits between two orders. */
const senders = 2;
const intervalMs = 100;

jest.setTimeout(240_000);

/** Commit of the deployed release; undefined while `/health` does not respond. */
const commit = () =>
  call('/health').then(
    ({ body }) => body.commit,
    () => undefined,
  );

/** Sends a webhook until the response is 200, as Qualia does. */
const notify = (orderId: string) =>
  eventually(`a 200 for order ${orderId}`, async () => {
    const response = await post(activity(orderId)).catch(() => undefined);
    return response?.status === 200 ? response : undefined;
  });

const setVisibility = (QueueUrl: string, VisibilityTimeout: string) =>
  sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { VisibilityTimeout } }));

const { DownloadQueueUrl, ProcessingQueueUrl } = target().outputs;
const queueUrls = [DownloadQueueUrl, ProcessingQueueUrl];
let visibilities: readonly string[] = [];

beforeAll(async () => {
  visibilities = await Promise.all(
    queueUrls.map(async (QueueUrl) => {
      const command = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['VisibilityTimeout'] });
      return (await sqs.send(command)).Attributes?.VisibilityTimeout ?? '';
    }),
  );
  // Lambda lets an old version finish its invocations, an emulator may kill them: their messages become visible again after
  // 10 s instead of 6 minutes.
  for (const url of queueUrls) await setVisibility(url, '10');
});
afterAll(async () => {
  for (const [index, visibility] of visibilities.entries()) await setVisibility(queueUrls[index] ?? '', visibility);
});

test('a release that is deployed while 200 orders flow loses none of them', async () => {
  const { assembly, nextAssembly } = deployment();
  const commits = { from: String(await commit()), to: randomBytes(20).toString('hex') };
  writeNextRelease(assembly, nextAssembly, commits);

  const orderIds: string[] = [];
  let [acknowledgedByOld, postedToNew] = [0, 0];
  let isSettled = false;
  const deploying = deploy(nextAssembly).finally(() => {
    isSettled = true;
  });
  const send = async () => {
    for (let isLast = false; !isLast; ) {
      isLast = isSettled && orderIds.length >= minimumOrders;
      const { _id } = await orderAtQualia();
      orderIds.push(_id);
      const before = await commit();
      await notify(_id);
      if (before === commits.to) postedToNew++;
      else if ((await commit()) === commits.from) acknowledgedByOld++;
      await sleep(intervalMs);
    }
  };
  await Promise.all([deploying, ...Array.from({ length: senders }, send)]);

  expect(await commit()).toBe(commits.to);
  expect(acknowledgedByOld).toBeGreaterThan(0);
  expect(postedToNew).toBeGreaterThan(0);
  for (const orderId of orderIds) {
    expect(await closedOrder(orderId)).toMatchObject({ status: 'PROCESSED' });
    const { posts } = (await internalOrder(orderId)) as { posts: { outcome: string }[] };
    expect(posts.filter(({ outcome }) => outcome === 'taken')).toHaveLength(1);
  }
});
