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
    const { stdout } = await stage.operate(['dlq', 'list'], { now: Date.now });
    const [head, download, processing] = stdout.split('\n');
    expect(head).toMatch(/^QUEUE {7}MESSAGES {2}IN FLIGHT {2}OLDEST SENT +ORDERS$/);
    expect(download).toBe('download    0         0');
    expect(processing).toMatch(/^processing {2}1 {9}0 {10}\d+s ago +QO-7$/);
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

  it('keeps to a rate, and is stopped by another operator', async () => {
    // One message per second: the redrive must still be running when it is stopped, on a busy machine too.
    const letters = Array.from({ length: 10 }, (_, index) => `QO-${index}`);
    for (const order_id of letters) await stage.addDeadLetter('download', { order_id });
    const redrive = ['dlq', 'redrive', 'download', '--rate', '1', '--yes'];
    const left = await stage.operate(redrive, { interruptWhen: (output) => output.includes('running: ') });
    expect(left).toMatchObject({ exitCode: 130, stdout: expect.stringContaining('"dlq stop download" stops it') });

    const stopped = await stage.operate(['dlq', 'stop', 'download', '--json']);
    expect(stopped.exitCode).toBe(0);
    expect(JSON.parse(stopped.stdout)).toMatchObject({ status: 'CANCELLED', to_move: letters.length });
    const { moved } = JSON.parse(stopped.stdout);
    expect(moved).toBeLessThan(letters.length);
    expect(await stage.receive(stage.queues.download.deadLetterUrl)).toHaveLength(letters.length - moved);

    const { exitCode, stdout } = await stage.operate(['dlq', 'stop', 'download']);
    expect({ exitCode, stdout }).toEqual({
      exitCode: 0,
      stdout: 'No redrive of the download dead-letter queue in dev on this machine is running.\n',
    });
  });

  it('refuses an unknown queue', async () => {
    const { exitCode, stderr } = await operate(['dlq', 'redrive', 'webhook', '--stage', 'qa']);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('<queue> "webhook" must be download or processing');
    expect(stderr).toContain('--stage "qa" must be one of dev, staging, prod');
  });
});

const unreadable = '{"customer":{"name":"Jane Doe"},"Jane Doe":1}';

/** The messages of the download dead-letter queue, as `dlq show --json` shows them. */
const shown = async () => {
  const { exitCode, stdout } = await stage.operate(['dlq', 'show', 'download', '--json'], { now: Date.now });
  expect(exitCode).toBe(0);
  return JSON.parse(stdout).messages as { readonly message_id: string; readonly order_id: string | null }[];
};

const idOf = async (orderId: string | null): Promise<string> => {
  const found = (await shown()).find(({ order_id }) => order_id === orderId);
  return found?.message_id ?? '';
};

describe('dlq show', () => {
  it('shows the messages with what failed first, and leaves them in the queue', async () => {
    await stage.addDeadLetter('download', { order_id: 'QO-1', request_id: 'request-1' });
    await stage.addDeadLetter('download', unreadable);
    const line = { service: 'download', order_id: 'QO-1', request_id: 'request-1', level: 'WARN' };
    const write = (secondsAgo: number, fields: object) =>
      stage.logs.download.write(Date.now() - secondsAgo * 1_000, { ...line, ...fields });
    write(20, { error_code: 'TIMEOUT', error: 'Qualia did not respond', wait_seconds: 30 });
    write(10, { error_code: 'API_UNAVAILABLE', error: 'Qualia responded 503', wait_seconds: 60 });

    for (const _time of ['first', 'second']) {
      const messages = await shown();
      expect(messages).toHaveLength(2);
      expect(messages).toContainEqual(
        expect.objectContaining({
          order_id: 'QO-1',
          request_id: 'request-1',
          round: expect.stringMatching(/^\d{15}-/),
          receives: expect.any(Number),
          first_failure: {
            at: expect.any(String),
            error_code: 'TIMEOUT',
            error: 'Qualia did not respond',
          },
        }),
      );
      expect(messages).toContainEqual(expect.objectContaining({ order_id: null, round: null, first_failure: null }));
    }
    const { stdout } = await stage.operate(['dlq', 'show', 'download'], { now: Date.now });
    expect(stdout).toMatch(/^ {2}order QO-1, round \d{15}-[0-9a-f]{12}$/m);
    expect(stdout).toMatch(/^ {2}sent \S+ \(\d+s ago\), \d receives, expires in \S+ \S+$/m);
    expect(stdout).toContain('  TIMEOUT Qualia did not respond\n');
    expect(stdout).not.toContain('Jane');
  });

  it('shows the structure of an unreadable message, and its body on request', async () => {
    await stage.addDeadLetter('download', { order_id: 'QO-1' });
    await stage.addDeadLetter('download', unreadable);
    const show = ['dlq', 'show', 'download', await idOf(null)];
    const { exitCode, stdout } = await stage.operate(show, { now: Date.now });
    expect(exitCode).toBe(0);
    expect(stdout).toContain('none: the body is not one of our messages');
    expect(stdout).toContain(
      'body: an object\n  customer: an object\n    name: a string of 8 characters\n  (a name of 8 characters): a number\n',
    );
    expect(stdout).not.toContain('Jane');
    expect((await stage.operate([...show, '--reveal'], { now: Date.now })).stdout).toContain(unreadable);
    expect(await shown()).toHaveLength(2);
  });

  it('reports that a message is absent', async () => {
    const id = '00000000-0000-4000-8000-000000000000';
    const { exitCode, stderr } = await stage.operate(['dlq', 'show', 'processing', id]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`The processing dead-letter queue has no message ${id}.`);
    expect((await stage.operate(['dlq', 'show', 'processing', '7'])).exitCode).toBe(2);
  });
});

describe('one message', () => {
  it('moves back to its queue, with its body', async () => {
    for (const order_id of ['QO-1', 'QO-2']) await stage.addDeadLetter('download', { order_id });
    const { exitCode, stdout } = await stage.operate(['dlq', 'redrive', 'download', await idOf('QO-2')]);
    expect({ exitCode, stdout }).toEqual({
      exitCode: 0,
      stdout: 'The message of order QO-2 was moved to the download queue.\n',
    });
    expect(await stage.receive(stage.queues.download.url)).toMatchObject([{ order_id: 'QO-2' }]);
    expect(await stage.receive(stage.queues.download.deadLetterUrl)).toMatchObject([{ order_id: 'QO-1' }]);
  });

  it('is dropped after a copy of it is stored', async () => {
    await stage.addDeadLetter('download', unreadable);
    await stage.addDeadLetter('download', { order_id: 'QO-1' });
    const id = await idOf(null);
    const drop = ['dlq', 'drop', 'download', id];
    expect(await stage.operate(drop)).toMatchObject({ exitCode: 130, stdout: 'Nothing was dropped.\n' });
    const { exitCode, stdout } = await stage.operate([...drop, '--yes', '--json']);
    expect(exitCode).toBe(0);
    const key = `dead-letters/download/${id}.json`;
    expect(JSON.parse(stdout)).toMatchObject({ dropped: true, uri: `s3://${stage.artifactsBucketName}/${key}` });
    expect(JSON.parse(await stage.readArtifact(key))).toMatchObject({
      queue: 'download',
      message_id: id,
      body: unreadable,
    });
    expect(await stage.receive(stage.queues.download.deadLetterUrl)).toMatchObject([{ order_id: 'QO-1' }]);
    expect((await stage.operate([...drop, '--yes'])).exitCode).toBe(1);
  });
});
