import { CloudWatchClient, DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { exitCodes } from '../../../ops/commands/exit-codes';
import { createClients } from '../support/clients';
import { startPausableStage } from './pausable-stage';

let stage: Awaited<ReturnType<typeof startPausableStage>>;
let cloudWatch: CloudWatchClient;
beforeEach(async () => {
  stage = await startPausableStage();
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  cloudWatch = new CloudWatchClient({ endpoint: stage.endpoints.cloudwatch, region: 'us-east-1', credentials });
});
afterEach(async () => {
  cloudWatch.destroy();
  await stage.stop();
});

/** The embedded AWS has the time of this machine. */
const inPresent = { now: () => Date.now() };
const operate = (...args: readonly string[]) => stage.operate(args, inPresent);
const pauses = async (options: object = inPresent) => {
  const { exitCode, stdout } = await stage.operate(['status', '--json'], options);
  const { paused, findings } = JSON.parse(stdout);
  const texts = findings.filter(({ subject }: { subject: string }) => subject === 'paused' || subject === 'alarm');
  return { exitCode, pauses: paused.pauses, findings: texts };
};
const notifies = async (): Promise<boolean | undefined> =>
  (await cloudWatch.send(new DescribeAlarmsCommand({}))).MetricAlarms?.[0]?.ActionsEnabled;
const eventually = async (isSo: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 20));
};

it('pauses a worker until it is resumed, silences its alarms, and shows who did it and why', async () => {
  const { exitCode, stdout } = await operate('pause', 'download', '--reason', 'Qualia is moved');
  expect({ exitCode, stdout }).toEqual({
    exitCode: exitCodes.done,
    stdout:
      'In dev on this machine, download is paused by local: Qualia is moved.\n' +
      `It ends with: pipeline --local resume download\n`,
  });
  expect([stage.polling(), await notifies()]).toEqual([['processing'], false]);
  const shown = await pauses();
  expect(shown.exitCode).toBe(exitCodes.done);
  expect(shown.pauses).toMatchObject([{ part: 'download', reason: 'Qualia is moved', in_force: true, complete: true }]);
  expect(shown.findings).toMatchObject([
    { severity: 'yellow', text: 'download is paused by local: Qualia is moved.', command: 'resume download' },
  ]);

  expect((await operate('resume', 'download')).stdout).toBe('Resumed download in dev on this machine.\n');
  expect([stage.polling(), await notifies()]).toEqual([['download', 'processing'], true]);
  expect(await pauses()).toMatchObject({ exitCode: exitCodes.done, findings: [] });
  expect((await operate('resume', 'download')).stdout).toContain('Nothing to do');
  const { stdout: actions } = await operate('actions', '--since', '1h', '--json');
  expect(JSON.parse(actions).actions.map(({ verb }: { verb: string }) => verb)).toEqual(['pause', 'resume']);
});

it('resumes by itself at the time of --until, and its alarms a quarter of an hour later', async () => {
  await operate('pause', 'processing', '--until', '8s');
  expect(stage.polling()).toEqual(['download']);
  expect(stage.schedule('processing-0')).toMatchObject({
    Target: { Arn: 'arn:aws:scheduler:::aws-sdk:lambda:updateEventSourceMapping' },
  });
  await eventually(() => stage.polling().includes('processing'));
  expect(stage.schedule('processing-alarms')).toMatchObject({
    Target: { Arn: 'arn:aws:scheduler:::aws-sdk:cloudwatch:enableAlarmActions' },
  });
  await eventually(() => stage.schedules().length === 1);
  expect(await pauses()).toMatchObject({ exitCode: exitCodes.done, findings: [] });
});

it('pauses the schedule of the syncs', async () => {
  await operate('pause', 'sync', '--until', '8s');
  expect(stage.isScheduled()).toMatchObject({ State: 'DISABLED' });
  expect((await pauses()).findings).toMatchObject([
    { text: expect.stringMatching(/^sync is paused by local until 2/) },
  ]);
  await eventually(() => (stage.isScheduled() as { State: string }).State === 'ENABLED');
  expect((await operate('resume', 'sync')).stdout).toContain('Nothing to do: sync is not paused');
});

it('is shown as red if it is incomplete, forgotten or overdue; a second pause completes it', async () => {
  const weeksAgo = { now: () => Date.now() - 14 * 86_400_000 };
  await stage.operate(['pause', 'processing'], weeksAgo);
  expect(await pauses()).toMatchObject({
    exitCode: exitCodes.failed,
    findings: [{ severity: 'red', text: expect.stringContaining('That was 20160 minutes ago.') }],
  });

  // As a deployment could do.
  stage.switchOn('processing');
  expect((await pauses()).findings).toMatchObject([
    { severity: 'red', text: expect.stringContaining('a deployment or a failure undid the pause') },
  ]);
  await operate('pause', 'processing', '--until', '1h', '--reason', 'another hour');
  expect(stage.polling()).toEqual(['download']);
  expect(await pauses()).toMatchObject({ exitCode: exitCodes.done, findings: [{ severity: 'yellow' }] });

  const tomorrow = { now: () => Date.now() + 86_400_000 };
  expect((await pauses(tomorrow)).findings).toMatchObject([
    { severity: 'red', text: 'No pause explains why these alarms notify nobody: end-to-end-latency.' },
    { severity: 'red', text: expect.stringContaining('It should have resumed.') },
  ]);
});

it('keeps alarms silent that another pause silences, and while messages wait', async () => {
  await operate('pause', 'download');
  await operate('pause', 'processing');
  await operate('resume', 'download');
  expect(await notifies()).toBe(false);

  const { sqs, destroy } = createClients();
  await sqs.send(new SendMessageCommand({ QueueUrl: stage.queues.processing.url, MessageBody: '{}' }));
  destroy();
  expect((await operate('resume', 'processing')).stdout).toContain('its alarms notify again at');
  expect(await notifies()).toBe(false);
  expect(stage.schedule('processing-alarms')).toBeDefined();
});

it('resumes what was switched off without a pause', async () => {
  stage.switchOff('download');
  expect((await pauses()).findings).toMatchObject([{ severity: 'red', command: 'resume download' }]);
  expect((await operate('resume', 'download')).stdout).toContain('Resumed download');
  expect(stage.polling()).toEqual(['download', 'processing']);
});

it.each([
  ['webhook', '1h', '<part> "webhook" must be one of download, processing, sync'],
  ['download', '11d', '--until "11d" must be within the next 10 days'],
  ['download', '2026-01-01', '--until "2026-01-01" must be within the next 10 days'],
  ['download', 'tomorrow', '--until "tomorrow" must be a duration such as 30m, 4h or 7d'],
])('rejects pause %s --until %s', async (part, until, expected) => {
  const { exitCode, stderr } = await operate('pause', part, '--until', until);
  expect({ exitCode, stderr }).toEqual({ exitCode: exitCodes.usage, stderr: expect.stringContaining(expected) });
});
