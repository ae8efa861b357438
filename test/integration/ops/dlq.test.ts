import { operate, startStage, type TestStage } from './operators';

let stage: TestStage;
beforeEach(async () => {
  stage = await startStage();
});
afterEach(() => stage.stop());

describe('dlq list', () => {
  it('shows both queues and some of the orders, and leaves the messages in the queues', async () => {
    await stage.addDeadLetter('download', { order_id: 'QO-1' });
    await stage.addDeadLetter('download', { order_id: 'QO-2' });
    await stage.addDeadLetter('download', 'Jane Doe');
    for (const _time of ['first', 'second']) {
      const { exitCode, stdout } = await stage.operate(['dlq', 'list', '--json']);
      expect(exitCode).toBe(0);
      const [download, processing] = JSON.parse(stdout).queues;
      expect(download).toMatchObject({ queue: 'download', url: stage.queues.download.deadLetterUrl, messages: 3 });
      expect(download.messages_in_flight).toBe(0);
      const ids = download.peeked.map(({ order_id }: { order_id: string | null }) => order_id);
      expect(ids).toEqual(expect.arrayContaining(['QO-1', 'QO-2', null]));
      expect(Date.now() - Date.parse(download.oldest_sent_at)).toBeLessThan(60_000);
      expect(processing).toMatchObject({ queue: 'processing', messages: 0, oldest_sent_at: null, peeked: [] });
      expect(stdout).not.toContain('Jane Doe');
    }
  });

  it('prints a table', async () => {
    await stage.addDeadLetter('processing', { order_id: 'QO-7' });
    const { stdout } = await stage.operate(['dlq', 'list']);
    const [head, download, processing] = stdout.split('\n');
    expect(head).toMatch(/^QUEUE {7}MESSAGES {2}IN FLIGHT {2}OLDEST SENT +ORDERS$/);
    expect(download).toBe('download    0         0');
    expect(processing).toMatch(/^processing {2}1 {9}0 {10}\S+Z \(0s ago\) {2}QO-7$/);
  });
});

describe('dlq redrive', () => {
  it('moves the messages back to the queue that they came from', async () => {
    await stage.addDeadLetter('processing', { order_id: 'QO-1' });
    await stage.addDeadLetter('processing', { order_id: 'QO-2' });
    const { exitCode, stdout, stderr } = await stage.operate(['dlq', 'redrive', 'processing'], { answer: 'yes\n' });
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: '2 messages moved to the processing queue.\n' });
    expect(stderr).toContain('Move 2 messages back to the processing queue in dev on this machine? [y/N]');
    expect(stderr).toContain('completed: 2 of 2 moved\n');
    const moved = await stage.receive(stage.queues.processing.url);
    expect(moved.map(({ order_id }) => order_id).sort()).toEqual(['QO-1', 'QO-2']);
  });

  it('distinguishes each redrive from the previous one', async () => {
    for (const order_id of ['QO-1', 'QO-2']) {
      await stage.addDeadLetter('download', { order_id });
      const { exitCode, stdout } = await stage.operate(['dlq', 'redrive', 'download', '--yes', '--json']);
      expect(exitCode).toBe(0);
      expect(JSON.parse(stdout)).toEqual({
        stage: 'dev',
        queue: 'download',
        status: 'COMPLETED',
        moved: 1,
        to_move: 1,
      });
    }
    expect(await stage.receive(stage.queues.download.url)).toHaveLength(2);
  });

  it('moves nothing unless the operator confirms', async () => {
    await stage.addDeadLetter('download', { order_id: 'QO-1' });
    const { exitCode, stdout } = await stage.operate(['dlq', 'redrive', 'download']);
    expect({ exitCode, stdout }).toEqual({ exitCode: 130, stdout: 'Nothing was moved.\n' });
    expect(await stage.receive(stage.queues.download.deadLetterUrl)).toHaveLength(1);
  });

  it('has nothing to do in an empty queue', async () => {
    const { exitCode, stdout } = await stage.operate(['dlq', 'redrive', 'download', '--json']);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ status: 'NOT_STARTED', moved: 0, to_move: 0 });
  });

  it('refuses an unknown queue', async () => {
    const { exitCode, stderr } = await operate(['dlq', 'redrive', 'webhook', '--stage', 'qa']);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('<queue> "webhook" must be download or processing');
    expect(stderr).toContain('--stage "qa" must be one of dev, staging, prod');
  });
});
