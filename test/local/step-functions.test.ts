import { rmSync } from 'node:fs';
import {
  DescribeExecutionCommand,
  DescribeStateMachineCommand,
  GetExecutionHistoryCommand,
  ListExecutionsCommand,
  ListStateMachinesCommand,
  RedriveExecutionCommand,
  SFNClient,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { eventually, newStateDirectory, startFixture } from './fixture/start';

const stateDirectory = newStateDirectory();
let aws: Awaited<ReturnType<typeof startFixture>>;
let client: SFNClient;
const connect = async () => {
  aws = await startFixture(stateDirectory);
  client = new SFNClient({ ...aws.config, endpoint: aws.endpoints.sfn });
};
beforeAll(connect);
afterAll(async () => {
  await aws.stop();
  rmSync(stateDirectory, { recursive: true });
});

const stateMachineArn = 'arn:aws:states:us-east-1:000000000000:stateMachine:dev-marketplace-workflow';
const start = async (name: string, input: object) => {
  const { executionArn = '' } = await client.send(
    new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify(input) }),
  );
  return executionArn;
};
const describeExecution = (executionArn: string) => client.send(new DescribeExecutionCommand({ executionArn }));
const waitForEnd = (executionArn: string) =>
  eventually(
    () => describeExecution(executionArn),
    ({ status }) => status !== 'RUNNING',
  );
const history = async (executionArn: string): Promise<string[]> => {
  const { events = [] } = await client.send(new GetExecutionHistoryCommand({ executionArn, maxResults: 1000 }));
  return events.map(({ type, stateEnteredEventDetails: state }) => (state ? `${type} ${state.name}` : `${type}`));
};
const quick = { behavior: '', pause: 0, items: [1, 2] };
/** An execution that waits in its second state until it is stopped. */
const endless = { ...quick, pause: 100_000 };
const waitForPause = (executionArn: string) =>
  eventually(
    () => history(executionArn),
    (events) => events.includes('WaitStateEntered Pause'),
  );

test('runs the definition of the template, which invokes functions in both supported ways', async () => {
  expect(aws.pipeline.WorkflowArn).toBe(stateMachineArn);
  const executionArn = await start('quick', quick);
  expect(executionArn).toBe('arn:aws:states:us-east-1:000000000000:execution:dev-marketplace-workflow:quick');
  const execution = await waitForEnd(executionArn);
  expect(execution).toMatchObject({
    status: 'SUCCEEDED',
    name: 'quick',
    input: JSON.stringify(quick),
    output: JSON.stringify([
      { item: 1, status: 200 },
      { item: 2, status: 200 },
    ]),
    redriveStatus: 'NOT_REDRIVABLE',
  });
  expect(execution.stopDate?.getTime()).toBeGreaterThanOrEqual(execution.startDate?.getTime() ?? 0);
  expect(await history(executionArn)).toEqual(
    expect.arrayContaining([
      'ExecutionStarted',
      'TaskStateEntered Behavior',
      'MapStateEntered Each',
      'ExecutionSucceeded',
    ]),
  );
});

test('passes the execution’s context to a state', async () => {
  const executionArn = await start('context', quick);
  await waitForEnd(executionArn);
  const { events = [] } = await client.send(new GetExecutionHistoryCommand({ executionArn }));
  const exited = events.find(({ type }) => type === 'TaskStateExited')?.stateExitedEventDetails?.output ?? '';
  expect(JSON.parse(exited).behavior.event.execution).toMatchObject({
    Id: executionArn,
    Name: 'context',
    RedriveCount: 0,
  });
});

test('a function’s error ends the execution with the error’s name, unless it is caught', async () => {
  const failed = await waitForEnd(await start('throws', { ...quick, behavior: 'throw' }));
  expect(failed).toMatchObject({ status: 'FAILED', error: 'TypeError', redriveStatus: 'REDRIVABLE' });
  expect(JSON.parse(failed.cause ?? '')).toMatchObject({ errorType: 'TypeError', errorMessage: 'a requested error' });
  const caught = await waitForEnd(await start('exits', { ...quick, behavior: 'exit' }));
  expect(caught.status).toBe('SUCCEEDED');
  expect(JSON.parse(caught.output ?? '').error).toMatchObject({ Error: 'Runtime.ExitError' });
});

test('a redrive starts at the failed state', async () => {
  const executionArn = await start('redriven', { ...quick, behavior: 'throw' });
  await waitForEnd(executionArn);
  await client.send(new RedriveExecutionCommand({ executionArn }));
  expect(await waitForEnd(executionArn)).toMatchObject({ status: 'FAILED', redriveCount: 1 });
  const events = await history(executionArn);
  expect(events.slice(events.indexOf('ExecutionRedriven'))).toEqual([
    'ExecutionRedriven',
    'TaskStateEntered Behavior',
    'LambdaFunctionScheduled',
    'LambdaFunctionFailed',
    'ExecutionFailed',
  ]);
});

test('a name can be used once; an identical start returns the same execution', async () => {
  const executionArn = await start('once', endless);
  expect(await start('once', endless)).toBe(executionArn);
  await expect(start('once', quick)).rejects.toMatchObject({ name: 'ExecutionAlreadyExists' });
  await client.send(new StopExecutionCommand({ executionArn, error: 'Enough', cause: 'of this' }));
  expect(await describeExecution(executionArn)).toMatchObject({ status: 'ABORTED', error: 'Enough', cause: 'of this' });
  await expect(start('once', endless)).rejects.toMatchObject({ name: 'ExecutionAlreadyExists' });
});

test('an execution times out by the clock of CloudWatch', async () => {
  const executionArn = await start('too-long', endless);
  await waitForPause(executionArn);
  const advance = (minutes: number) =>
    fetch(`${aws.endpoints.cloudwatch}/_control/advance`, { method: 'POST', body: JSON.stringify({ minutes }) });
  await advance(24 * 60 - 2);
  expect(await describeExecution(executionArn)).toMatchObject({ status: 'RUNNING' });
  await advance(3);
  expect(await describeExecution(executionArn)).toMatchObject({ status: 'TIMED_OUT' });
  expect((await history(executionArn)).at(-1)).toBe('ExecutionTimedOut');
});

test.each([
  ['a bad name', { stateMachineArn, name: 'a b' }, 'InvalidName'],
  ['no JSON', { stateMachineArn, name: 'no-json', input: '{' }, 'InvalidExecutionInput'],
  ['no such machine', { stateMachineArn: `${stateMachineArn}x`, name: 'x' }, 'StateMachineDoesNotExist'],
])('rejects %s', async (_what, input, name) => {
  await expect(client.send(new StartExecutionCommand(input))).rejects.toMatchObject({ name });
});

test('lists its state machines, and executions by status and in pages', async () => {
  const { stateMachines } = await client.send(new ListStateMachinesCommand({}));
  expect(stateMachines).toMatchObject([{ stateMachineArn, name: 'dev-marketplace-workflow', type: 'STANDARD' }]);
  const { definition = '' } = await client.send(new DescribeStateMachineCommand({ stateMachineArn }));
  expect(JSON.parse(definition).StartAt).toBe('Behavior');

  const names: (string | undefined)[] = [];
  let nextToken: string | undefined;
  do {
    const page = await client.send(
      new ListExecutionsCommand({ stateMachineArn, statusFilter: 'SUCCEEDED', maxResults: 1, nextToken }),
    );
    names.push(...(page.executions ?? []).map(({ name }) => name));
    ({ nextToken } = page);
  } while (nextToken);
  expect(names).toEqual(['exits', 'context', 'quick']);
});

test('a schedule starts an execution', async () => {
  const fired = (await aws.request({ fire: 'dev-nightly' })) as { payload: string };
  const { executionArn } = JSON.parse(fired.payload) as { executionArn: string };
  expect(await waitForEnd(executionArn)).toMatchObject({
    status: 'SUCCEEDED',
    input: JSON.stringify({ behavior: '', pause: 0, items: [] }),
  });
});

test.each(['kill', 'stop'] as const)(
  'an execution that runs at a %s is aborted at the next start, and can be redriven',
  async (how) => {
    const executionArn = await start(`ran-at-${how}`, endless);
    await waitForPause(executionArn);
    await aws[how]();
    await connect();
    expect(await describeExecution(executionArn)).toMatchObject({ status: 'ABORTED', redriveStatus: 'REDRIVABLE' });
    expect(await describeExecution(executionArn.replace(`ran-at-${how}`, 'quick'))).toMatchObject({
      status: 'SUCCEEDED',
    });

    await client.send(new RedriveExecutionCommand({ executionArn }));
    await eventually(
      () => history(executionArn),
      (events) => events.at(-1) === 'WaitStateEntered Pause',
    );
    const events = await history(executionArn);
    expect(events.slice(events.indexOf('ExecutionAborted'))).toEqual([
      'ExecutionAborted',
      'ExecutionRedriven',
      'WaitStateEntered Pause',
    ]);
    await client.send(new StopExecutionCommand({ executionArn }));
  },
);
