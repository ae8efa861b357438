import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { SetQueueAttributesCommand } from '@aws-sdk/client-sqs';
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

const orderCount = 200;
/** Not posted before the deployment is done. */
const heldBack = 50;
/** At most two are posted at once, and then the next after this: so that they flow for as long as a deployment takes. */
const senders = 2;
const intervalMs = 50;

jest.setTimeout(240_000);

const commit = async () => String((await call('/health')).body.commit);

/** As Qualia does it: a webhook that was not answered with 200 is sent again. */
const notify = (orderId: string) =>
  eventually(`a 200 for order ${orderId}`, async () => {
    const answer = await post(activity(orderId)).catch(() => undefined);
    return answer?.status === 200 ? answer : undefined;
  });

test('a release that is deployed while 200 orders flow loses none of them', async () => {
  const { outputs } = target();
  // Lambda lets an old version end its work, an emulator may kill it: its messages come back after this, not after 6 min.
  for (const QueueUrl of [outputs.DownloadQueueUrl, outputs.ProcessingQueueUrl]) {
    await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { VisibilityTimeout: '10' } }));
  }
  const orders = await Promise.all(Array.from({ length: orderCount }, () => orderAtQualia()));
  const { assembly, nextAssembly } = deployment();
  const commits = { from: await commit(), to: randomBytes(20).toString('hex') };
  writeNextRelease(assembly, nextAssembly, commits);

  const deploying = deploy(nextAssembly);
  const waiting = orders.entries();
  const send = async () => {
    for (const [index, { _id }] of waiting) {
      if (index >= orderCount - heldBack) await deploying;
      await notify(_id);
      await sleep(intervalMs);
    }
  };
  await Promise.all(Array.from({ length: senders }, send));

  expect(await commit()).toBe(commits.to);
  for (const { _id } of orders) {
    expect(await closedOrder(_id)).toMatchObject({ status: 'PROCESSED' });
    const { posts } = (await internalOrder(_id)) as { posts: { outcome: string }[] };
    expect(posts.filter(({ outcome }) => outcome === 'taken')).toHaveLength(1);
  }
});
