import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exitCodes } from '../../../ops/commands/exit-codes';
import { nowMs, startStage, type TestStage } from './operators';

let stage: TestStage;
let lambda: Server;
let lines: readonly object[];
const invocations: string[] = [];

const reconciler = 'dev-marketplace-reconciler';
const counts = {
  known: 300,
  judged: 300,
  missing: 1,
  drifted_unnoticed: 2,
  stuck: 3,
  in_flight: 4,
  duration_seconds: 75,
};

beforeEach(async () => {
  stage = await startStage();
  invocations.length = 0;
  lines = [];
  lambda = createServer((request, response) => {
    invocations.push(`${request.headers['x-amz-invocation-type']} ${request.url?.split('/')[3]}`);
    for (const [index, line] of lines.entries()) {
      stage.logs.download.write(nowMs + index, { service: 'reconciler', ...line });
    }
    response.writeHead(202).end();
  });
  await new Promise<void>((resolve) => lambda.listen(0, '127.0.0.1', resolve));
  const { port } = lambda.address() as AddressInfo;
  const pipeline = { ...stage.outputs['dev-OrderPipeline'], ReconcilerFunctionName: reconciler };
  stage.announce({
    endpoints: { ...stage.endpoints, lambda: `http://127.0.0.1:${port}` },
    outputs: { ...stage.outputs, 'dev-OrderPipeline': pipeline },
  });
});
afterEach(async () => {
  lambda.closeAllConnections();
  await Promise.all([stage.stop(), new Promise((resolve) => lambda.close(resolve))]);
});

const reconcile = (...args: readonly string[]) =>
  stage.operate(['reconcile', '--reason', 'webhooks were lost', ...args], {
    now: () => nowMs + (invocations.length > 0 ? 1_000 : 0),
  });

it('invokes the reconciler, and follows its pass to the result', async () => {
  lines = [
    { message: 'reconciliation waits for the download queue' },
    { message: 'reconciliation continues', outcome: 'continues', ...counts, judged: 120 },
    { message: 'orders reconciled', outcome: 'complete', ...counts },
  ];
  const { exitCode, stdout, stderr } = await reconcile();
  expect(invocations).toEqual([`Event ${reconciler}`]);
  expect({ exitCode, stdout }).toEqual({
    exitCode: exitCodes.done,
    stdout: '300 orders compared in 1m 15s: 1 missing, 2 drifted, 3 stuck, 4 in flight.\n',
  });
  expect(stderr).toBe(
    'The reconciler was invoked.\nIt waits for the download queue to drain.\n' +
      '120 of 300 orders compared: 1 missing, 2 drifted, 3 stuck, 4 in flight.\n',
  );
  const actions = await stage.operate(['actions', '--json']);
  expect(JSON.parse(actions.stdout).actions).toMatchObject([{ verb: 'reconcile', outcome: 'done' }]);
});

it('follows a pass that is under way, and reports its failure', async () => {
  lines = [
    { message: 'reconciliation not needed', outcome: 'under way' },
    { message: 'reconciliation failed', error: 'Qualia refused the credential', error_code: 'API_REFUSED' },
  ];
  const { exitCode, stdout, stderr } = await reconcile('--json');
  expect(exitCode).toBe(exitCodes.failed);
  expect(stderr).toContain('A pass is under way already; following it.');
  expect(JSON.parse(stdout)).toEqual({ stage: 'dev', state: 'failed' });
});

it('stops watching on Ctrl-C', async () => {
  const { exitCode, stdout } = await stage.operate(['reconcile'], { interruptAfterMs: 50 });
  expect({ exitCode, stdout }).toEqual({
    exitCode: exitCodes.aborted,
    stdout: 'The pass in dev on this machine continues; "status" shows its result.\n',
  });
});

it('needs a stage with a reconciler', async () => {
  stage.announce({});
  expect(await reconcile()).toMatchObject({
    exitCode: exitCodes.unreachable,
    stderr: expect.stringContaining('deploy'),
  });
});
