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

const leastOrders = 200;
/** At most two are posted at once, and then the next after this. */
const senders = 2;
const intervalMs = 100;

jest.setTimeout(240_000);

/** Of the release that answers; nothing while none does. */
const commit = () =>
  call('/health').then(
    ({ body }) => body.commit,
    () => undefined,
  );

/** As Qualia does it: a webhook that was not answered with 200 is sent again. */
const notify = (orderId: string) =>
  eventually(`a 200 for order ${orderId}`, async () => {
    const answer = await post(activity(orderId)).catch(() => undefined);
    return answer?.status === 200 ? answer : undefined;
  });

const setVisibility = (QueueUrl: string, VisibilityTimeout: string) =>
  sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { VisibilityTimeout } }));

const { DownloadQueueUrl, ProcessingQueueUrl } = target().outputs;
const queueUrls = [DownloadQueueUrl, ProcessingQueueUrl];
let visibilities: readonly string[] = [];

beforeAll(async () => {
  visibilities = await Promise.all(
    queueUrls.map(async (QueueUrl) => {
      const wanted = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['VisibilityTimeout'] });
      return (await sqs.send(wanted)).Attributes?.VisibilityTimeout ?? '';
    }),
  );
  // Lambda lets an old version end its work, an emulator may kill it: its messages come back after this, not after 6 min.
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
      isLast = isSettled && orderIds.length >= leastOrders;
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
