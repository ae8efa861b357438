import { ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { exitCodes } from '../../../ops/commands/exit-codes';
import { recordChange } from '../../../ops/services/actions';
import { connectToStage } from '../../../ops/services/stage-connection';
import { hoursAgo, nowMs, startStage, type TestStage } from './operators';

let stage: TestStage;
beforeEach(async () => {
  stage = await startStage();
});
afterEach(() => stage.stop());

const list = async (...args: readonly string[]) => {
  const { exitCode, stdout } = await stage.operate(['actions', ...args, '--json']);
  expect(exitCode).toBe(exitCodes.done);
  return JSON.parse(stdout).actions;
};
const start = (runId: string, ...args: readonly string[]) =>
  stage.operate(['sync', 'start', 'netlife', '--run-id', runId, ...args]);

describe('a verb that changes something', () => {
  it('records who did what, when, why, and with which outcome', async () => {
    expect(await start('manual-1', '--reason', ' a portal was added ')).toMatchObject({ exitCode: 0 });
    expect(await list()).toEqual([
      {
        at: new Date(nowMs).toISOString(),
        by: 'arn:aws:iam::000000000000:user/local',
        verb: 'sync start',
        ids: ['manual-1'],
        count: 1,
        reason: 'a portal was added',
        outcome: 'done',
      },
    ]);
  });

  it('records the error of a change that failed', async () => {
    await start('manual-1');
    expect(await start('manual-1', '--dry-run')).toMatchObject({ exitCode: exitCodes.failed });
    expect(await list()).toEqual([
      expect.objectContaining({ reason: 'local', outcome: 'done' }),
      expect.objectContaining({ outcome: expect.stringMatching(/^failed: .*manual-1/) }),
    ]);
  });

  it('records nothing if the operator does not confirm', async () => {
    await stage.addDeadLetter('download', { order_id: 'QO-1' });
    expect(await stage.operate(['dlq', 'redrive', 'download'])).toMatchObject({ exitCode: exitCodes.aborted });
    expect(await list()).toEqual([]);
  });

  it('cannot change anything before its action is recorded', async () => {
    const { localStateDirectory, queues } = stage;
    const connection = await connectToStage({ stage: 'dev', localStateDirectory });
    const url = { QueueUrl: queues.download.url };
    const change = () => connection.sqs.send(new SendMessageCommand({ ...url, MessageBody: 'changes something' }));
    const refusal = 'SendMessageCommand changes something, but the verb does not record it';
    await connection.sqs.send(new ReceiveMessageCommand(url));
    await expect(change()).rejects.toThrow(refusal);
    const allowed = Promise.withResolvers<void>();
    const refused = Promise.withResolvers<void>();
    const recorded = recordChange(connection, { verb: 'test', reason: 'test' }, Date.now, async (beginChange) => {
      await expect(change()).rejects.toThrow(refusal);
      await beginChange({ ids: ['download'] });
      allowed.resolve();
      await refused.promise;
      await change();
      return { outcome: 'done', result: undefined };
    });
    // The record of one change allows no other one, neither beside it nor after it.
    await allowed.promise;
    await expect(change()).rejects.toThrow(refusal);
    refused.resolve();
    await recorded;
    await expect(change()).rejects.toThrow(refusal);
    connection.close();
  });

  it('changes nothing if its action cannot be recorded', async () => {
    const data = { ...stage.outputs['dev-Data'], ActionsLogGroupName: 'deleted' };
    stage.announce({ outputs: { ...stage.outputs, 'dev-Data': data } });
    expect(await start('manual-1')).toMatchObject({ exitCode: exitCodes.unreachable });
    expect(stage.workflows.list()).toEqual([]);
  });

  it.each([[''], ['x'.repeat(201)]])('rejects the reason "%s"', async (reason) => {
    const { exitCode, stderr } = await start('manual-1', '--reason', reason);
    expect({ exitCode, stderr }).toEqual({
      exitCode: exitCodes.usage,
      stderr: 'error: --reason must have 1 to 200 characters.\n',
    });
  });
});

describe('actions', () => {
  it('lists the actions of a period, a verb or a person, in 80 columns', async () => {
    const ids = Array.from({ length: 25 }, (_, index) => `QO-${1_000 + index}`);
    await stage.operate(['orders', 'replay', ...ids, '--yes', '--reason', 'a wrong mapping'.repeat(9)], {
      now: () => hoursAgo(48),
      interruptAfterMs: 1,
    });
    await start('manual-1');

    expect(await list('--since', '24h')).toEqual([expect.objectContaining({ verb: 'sync start' })]);
    expect(await list('--verb', 'orders')).toEqual([expect.objectContaining({ count: 25, outcome: 'interrupted' })]);
    expect(await list('--verb', 'order')).toEqual([]);
    expect(await list('--by', 'user/local')).toHaveLength(2);
    expect(await list('--by', 'jane')).toEqual([]);

    const { stdout } = await stage.operate(['actions']);
    expect(stdout).toContain('2026-01-29 12:00:00  orders replay  interrupted\n  QO-1000 QO-1001');
    expect(stdout).toContain('QO-1019 … (25); a wrong mapping');
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  it('reports a period without actions', async () => {
    const { stdout } = await stage.operate(['actions', '--since', '1h']);
    expect(stdout).toBe('No recorded action in dev on this machine since 2026-01-31T11:00:00.000Z.\n');
  });
});
