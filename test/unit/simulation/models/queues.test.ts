import { SendMessageBatchCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { createQueues, type QueuesOptions } from '../../../simulation/models/queues';
import { createWorld } from './world';

const url = 'http://sqs/jobs';
const deadUrl = 'http://sqs/dead';

const create = (options: Partial<QueuesOptions> = {}) => {
  const world = createWorld();
  const layout = { visibilityMs: 10_000, retentionMs: 60_000, deadLetters: { url: deadUrl, maxReceiveCount: 2 } };
  const queues = createQueues(world, { queues: { [url]: layout, [deadUrl]: {} }, ...options });
  const send = (body: string) => queues.client.send(new SendMessageCommand({ QueueUrl: url, MessageBody: body }));
  const bodies = () => queues.receive(url, 10).map(({ body }) => body);
  return { world, queues, send, bodies };
};

describe('the model of SQS', () => {
  it('delivers a message again after its visibility timeout, then moves it to the dead-letter queue', async () => {
    const { world, queues, send, bodies } = create();
    await send('a');
    expect(bodies()).toEqual(['a']);
    expect(bodies()).toEqual([]);
    await world.sleep(10_000);
    expect(bodies()).toEqual(['a']);
    await world.sleep(10_000);
    expect(bodies()).toEqual([]);
    expect(queues.messages(deadUrl)).toMatchObject([{ body: 'a', receives: 2 }]);
    expect(queues.redrive(deadUrl, url)).toBe(1);
    expect(queues.receive(url, 1)).toMatchObject([{ body: 'a', attributes: { ApproximateReceiveCount: '1' } }]);
  });

  it('drops a message at the end of its retention', async () => {
    const { world, queues, send, bodies } = create();
    await send('a');
    await world.sleep(60_000);
    expect(queues.messages(url)).toEqual([]);
    expect(bodies()).toEqual([]);
    expect(queues.expired()).toBe(1);
  });

  it('delivers a message twice if the seed says so', async () => {
    const { world, send, bodies } = create({ duplicateShare: 0.5 });
    await send('a');
    world.choose(0);
    expect(bodies()).toEqual(['a']);
    world.choose(0.999);
    expect(bodies()).toEqual(['a']);
    expect(bodies()).toEqual([]);
  });

  it('loses a delete if the seed says so', async () => {
    const { world, queues, send, bodies } = create({ lostDeleteShare: 0.5 });
    await send('a');
    const [record] = queues.receive(url, 1);
    world.choose(0);
    queues.remove(url, record?.receiptHandle ?? '');
    await world.sleep(10_000);
    expect(bodies()).toEqual(['a']);
  });

  it('delivers messages out of order if the seed says so', async () => {
    const { world, send, bodies } = create({ reorderedShare: 0.5 });
    for (const body of ['a', 'b', 'c']) await send(body);
    world.choose(0.4);
    expect(bodies()).toEqual(['b', 'a', 'c']);
  });

  it('accepts a part of a batch if the seed says so', async () => {
    const { world, queues } = create({ refusedShare: 0.5 });
    world.choose(0);
    const Entries = [{ Id: '0', MessageBody: 'a' }];
    const response = await queues.client.send(new SendMessageBatchCommand({ QueueUrl: url, Entries }));
    expect(response).toMatchObject({
      Successful: [],
      Failed: [{ Id: '0', Code: 'InternalError', SenderFault: false }],
    });
  });
});
