import { randomUUID } from 'node:crypto';
import {
  GetExecutionHistoryCommand,
  ListExecutionsCommand,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import {
  errorNamed,
  iterable,
  netlife,
  portal,
  readArtifacts,
  readRun,
  redrive,
  startRun,
  statesOfBoth,
  stepFunctions,
  waitForEnd,
} from './support/sync-runs';
import { target, testIfSupported } from './support/target';

const { outputs } = target();

afterEach(async () => {
  for (const vendor of [netlife, iterable]) {
    await vendor.setFaults();
    await vendor.takeCalls();
  }
});

const both = { netlife: { portals: [portal] }, iterable: {} };

test('a run of both jobs writes its files, its item and its history', async () => {
  const runId = randomUUID();
  const executionArn = await startRun(both, runId);
  expect(await waitForEnd(executionArn)).toMatchObject({ status: 'SUCCEEDED', name: runId });

  const artifacts = await readArtifacts(runId);
  const kinds = [...artifacts.keys()]
    .filter((path) => !path.includes('/parts/'))
    .map((path) => path.replace(/\d{8}_\d{6}/, 'T'));
  expect(kinds.sort()).toEqual([
    'input.json',
    'iterable/failed.csv',
    'iterable/integration_results_T.json',
    'iterable/query_results_T.csv',
    'iterable/rejected.csv',
    `netlife/${portal}/contacts_${portal}_both_any_T.csv`,
    `netlife/${portal}/rejected.ndjson`,
    `netlife/${portal}/stats.json`,
    `netlife/${portal}/stats.txt`,
    'summary.json',
  ]);
  const summary = JSON.parse(artifacts.get('summary.json') ?? '');
  expect(summary).toMatchObject({
    status: 'SUCCEEDED',
    netlife: { status: 'SUCCEEDED' },
    iterable: { status: 'SUCCEEDED' },
  });
  expect(await readRun(runId)).toMatchObject({ status: 'SUCCEEDED', reports: summary.reports });

  const { events = [] } = await stepFunctions.send(new GetExecutionHistoryCommand({ executionArn, maxResults: 1000 }));
  const entered = new Set(events.flatMap(({ stateEnteredEventDetails }) => stateEnteredEventDetails?.name ?? []));
  for (const state of statesOfBoth) expect(entered).toContain(state);
  expect(events.at(0)?.type).toBe('ExecutionStarted');
  expect(events.at(-1)?.type).toBe('ExecutionSucceeded');
});

test('an invalid input fails the first state with all faults, before any API is called', async () => {
  const executionArn = await startRun({ netlife: { portals: ['evil.example'] }, iterable: { use_jwt: true }, typo: 1 });
  const { status, error, cause } = await waitForEnd(executionArn);
  expect({ status, error }).toEqual({ status: 'FAILED', error: errorNamed('InvalidInput') });
  expect(cause).toContain('netlife.portals.0 is not a known portal');
  expect(cause).toContain('iterable.use_jwt cannot be used with mode');
  expect(cause).toContain('the input has no');
  expect([...(await netlife.takeCalls()), ...(await iterable.takeCalls())]).toEqual([]);
});

/** Makes Iterable refuse the key, so that one branch fails. */
const failIterable = async (runId: string) => {
  await iterable.setFaults({ kind: 'bad_api_key' });
  const failed = await waitForEnd(await startRun({ run_id: runId, ...both }));
  await iterable.setFaults();
  return failed;
};
const contactsIn = (artifacts: ReadonlyMap<string, string>) =>
  [...artifacts].find(([path]) => path.includes('/contacts_'))?.[1];

test('if one branch fails, the other one completes, and the run fails', async () => {
  const runId = randomUUID();
  const failed = await failIterable(runId);
  expect(failed).toMatchObject({ status: 'FAILED', error: errorNamed('RunFailed') });
  expect(failed.cause).toContain('netlife SUCCEEDED');
  expect(failed.cause).toContain('iterable FAILED: Iterable refused the key with 401: BadApiKey (API_REFUSED)');
  expect(await readRun(runId)).toMatchObject({ status: 'FAILED' });
  const artifacts = await readArtifacts(runId);
  expect(contactsIn(artifacts)).toContain(portal);
  const { iterable: report } = JSON.parse(artifacts.get('summary.json') ?? '');
  expect(report).toMatchObject({ status: 'FAILED', counts: { successful: 0 }, duration_seconds: expect.any(Number) });
  for (const key of report.reports) expect(artifacts.has(key.replace(`runs/${runId}/`, ''))).toBe(true);
  // Nothing was extracted.
  expect(report.reports).toHaveLength(2);
});

testIfSupported('redrive')('a redrive repeats only the failed branch', async () => {
  const runId = randomUUID();
  const { executionArn = '', redriveStatus } = await failIterable(runId);
  expect(redriveStatus).toBe('REDRIVABLE');
  const contacts = contactsIn(await readArtifacts(runId));
  await netlife.takeCalls();
  await redrive(executionArn);
  expect(await waitForEnd(executionArn)).toMatchObject({ status: 'SUCCEEDED', redriveCount: 1 });
  expect(await netlife.takeCalls()).toEqual([]);
  expect(contactsIn(await readArtifacts(runId))).toBe(contacts);
  expect(await readRun(runId)).toMatchObject({ status: 'SUCCEEDED' });
});

test('everything that a run lacks is reported at once, each with its code, and nothing is sent', async () => {
  const refusing = 'legacyphoto';
  await netlife.setFaults({ kind: 'login_refused', match: { portal: refusing } });
  await iterable.setFaults({ kind: 'forbidden' });
  const runId = randomUUID();
  const input = { run_id: runId, netlife: { portals: [refusing, portal] }, iterable: {} };
  expect(await waitForEnd(await startRun(input))).toMatchObject({ status: 'FAILED', error: errorNamed('RunFailed') });
  const artifacts = await readArtifacts(runId);
  expect(JSON.parse(artifacts.get('summary.json') ?? '').preflight).toEqual([
    { check: `netlife/${refusing}`, error_code: 'API_REFUSED', message: expect.stringContaining('refused our login') },
    { check: 'iterable/key', error_code: 'API_REFUSED', message: 'Iterable refused the key with 403: Forbidden' },
  ]);
  // The other portal is collected; Iterable gets only the call that checks the key.
  const contacts = [...artifacts].find(([path]) => path.startsWith(`netlife/${portal}/contacts_`))?.[1];
  expect(contacts).toContain(portal);
  expect(await iterable.takeCalls()).toEqual(['/api/users/bulkUpdate']);
  expect((await netlife.takeCalls()).filter((path) => path.includes(refusing))).toHaveLength(1);
});

test('a portal that refuses our login is reported, and does not stop the other portals', async () => {
  const refusing = 'legacyphoto';
  await netlife.setFaults({ kind: 'login_refused', match: { portal: refusing } });
  const runId = randomUUID();
  const { status, cause } = await waitForEnd(
    await startRun({ run_id: runId, netlife: { portals: [refusing, portal] } }),
  );
  expect(status).toBe('FAILED');
  expect(cause).toContain(`The portal ${refusing} refused our login`);
  const summary = JSON.parse((await readArtifacts(runId)).get('summary.json') ?? '');
  expect(summary.netlife.portals).toMatchObject([
    {
      portal: refusing,
      status: 'FAILED',
      failed_jobs: [],
      statistics: { jobs_processed: 0, errors: [expect.stringContaining('refused our login')] },
      reports: expect.arrayContaining([expect.stringContaining(`${refusing}/stats.json`)]),
    },
    { portal, status: 'SUCCEEDED' },
  ]);
  expect(summary).not.toHaveProperty('iterable');
});

test('a run that is stopped and started again with the same run_id resumes where it stopped', async () => {
  const runId = randomUUID();
  const input = { run_id: runId, ...both };
  const first = await startRun(input);
  await stepFunctions.send(new StopExecutionCommand({ executionArn: first, cause: 'enough' }));
  expect(await waitForEnd(first)).toMatchObject({ status: 'ABORTED', cause: 'enough' });

  expect(await waitForEnd(await startRun(input))).toMatchObject({ status: 'SUCCEEDED' });
  await netlife.takeCalls();
  await iterable.takeCalls();
  expect(await waitForEnd(await startRun(input))).toMatchObject({ status: 'SUCCEEDED' });
  expect([...(await netlife.takeCalls()), ...(await iterable.takeCalls())]).toEqual([]);
});

test('an execution name is used only once', async () => {
  const name = randomUUID();
  const input = { iterable: { limit: 1 } };
  const executionArn = await startRun(input, name);
  expect(await startRun(input, name)).toBe(executionArn);
  await waitForEnd(executionArn);
  const again = new StartExecutionCommand({ stateMachineArn: outputs.StateMachineArn, name, input: '{}' });
  await expect(stepFunctions.send(again)).rejects.toMatchObject({ name: 'ExecutionAlreadyExists' });
  const { executions = [] } = await stepFunctions.send(
    new ListExecutionsCommand({ stateMachineArn: outputs.StateMachineArn, statusFilter: 'SUCCEEDED' }),
  );
  expect(executions.map((execution) => execution.executionArn)).toContain(executionArn);
});
