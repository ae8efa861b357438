import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ListEventSourceMappingsCommand, UpdateEventSourceMappingCommand } from '@aws-sdk/client-lambda';
import { GetQueueAttributesCommand, SetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import {
  activity,
  call,
  closedOrder,
  eventually,
  internalOrder,
  lambda,
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

/** Commit of the deployed release; undefined while `/health` does not respond. */
const commit = () =>
  call('/health').then(
    ({ body }) => body.commit,
    () => undefined,
  );

/** Sends a webhook until the response is 200, like Qualia. */
const notify = (orderId: string) =>
  eventually(`a 200 for order ${orderId}`, async () => {
    const response = await post(activity(orderId)).catch(() => undefined);
    return response?.status === 200 ? response : undefined;
  });

const setVisibility = (QueueUrl: string, VisibilityTimeout: string) =>
  sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { VisibilityTimeout } }));

const { DownloadQueueUrl, ProcessingQueueUrl, ReconcilerFunctionName } = target().outputs;
const queueUrls = [DownloadQueueUrl, ProcessingQueueUrl];
let visibilities: readonly string[] = [];

beforeAll(async () => {
  visibilities = await Promise.all(
    queueUrls.map(async (QueueUrl) => {
      const command = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['VisibilityTimeout'] });
      return (await sqs.send(command)).Attributes?.VisibilityTimeout ?? '';
    }),
  );
  // Lambda lets an old version finish its invocations, but an emulator may kill them. The messages of killed invocations
  // become visible again after 10 s instead of 6 minutes.
  for (const url of queueUrls) await setVisibility(url, '10');
});
afterAll(async () => {
  for (const [index, visibility] of visibilities.entries()) await setVisibility(queueUrls[index] ?? '', visibility);
});

/** The event source mapping of the reconciler, which no order of this test needs. */
const mappingOfReconciler = async () => {
  const command = new ListEventSourceMappingsCommand({ FunctionName: ReconcilerFunctionName });
  const { EventSourceMappings: [mapping] = [] } = await lambda.send(command);
  return mapping;
};
const switchReconciler = async (Enabled: boolean) =>
  lambda.send(new UpdateEventSourceMappingCommand({ UUID: (await mappingOfReconciler())?.UUID, Enabled }));
const isSwitched = (state: string) =>
  eventually(`an event source mapping that is ${state}`, async () =>
    (await mappingOfReconciler())?.State === state ? state : undefined,
  );

test('a deployment while at least 200 orders are processed loses none of them, and ends no pause', async () => {
  const { assembly, nextAssembly } = deployment();
  const commits = { from: String(await commit()), to: randomBytes(20).toString('hex') };
  writeNextRelease(assembly, nextAssembly, commits);

  await switchReconciler(false);
  await isSwitched('Disabled');

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
  // The template does not say whether a mapping is enabled, so a deployment does not end a pause.
  expect((await mappingOfReconciler())?.State).toBe('Disabled');
  await switchReconciler(true);
  await isSwitched('Enabled');
  expect(acknowledgedByOld).toBeGreaterThan(0);
  expect(postedToNew).toBeGreaterThan(0);
  for (const orderId of orderIds) {
    expect(await closedOrder(orderId)).toMatchObject({ status: 'PROCESSED' });
    const { posts } = (await internalOrder(orderId)) as { posts: { outcome: string }[] };
    expect(posts.filter(({ outcome }) => outcome === 'taken')).toHaveLength(1);
  }
});
