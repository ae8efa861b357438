import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { readPausedParts } from '../../../bin/paused-parts';
import { exitCodes } from '../../../ops/commands/exit-codes';
import { createPauseRecords } from '../../../ops/services/pause/record';
import type { Outcome } from '../../support/operate';
import { createClients, readEndpoints } from '../support/clients';
import { nowMs, operate, startStage, type TestStage } from './operators';

let stage: TestStage;
beforeAll(async () => {
  stage = await startStage();
});
afterAll(() => stage.stop());

describe('with --local', () => {
  it.each([
    ['never ran', 'nowhere', {}, 'start it with `npm start`'],
    ['was killed', undefined, { pid: 2 ** 30 }, 'start it with `npm start`'],
    ['wrote an invalid file', undefined, { endpoints: {} }, 'start it with `npm start`'],
    ['does not have the stage', undefined, { outputs: {} }, 'The embedded AWS has no stack dev-Data'],
    [
      'was started by an earlier version',
      undefined,
      { outputs: { 'dev-Data': { OrdersTableName: 'orders' }, 'dev-OrderPipeline': {} } },
      'The outputs of stack dev-Data do not match this version: RawBucketName is missing, SyncRunsTableName is ' +
        'missing, OperationsTableName is missing, ActionsLogGroupName is missing, ' +
        'ArtifactsBucketName is missing.',
    ],
  ])('exits 3 when the embedded AWS %s', async (_case, directory, changes, expected) => {
    stage.announce(changes);
    const { exitCode, stdout, stderr } = await stage.operate(['orders', 'get', 'QO-1', '--json'], {
      ...(directory !== undefined && { localStateDirectory: directory }),
    });
    expect(exitCode).toBe(exitCodes.unreachable);
    expect(stderr).toContain(expected);
    expect(JSON.parse(stdout)).toMatchObject({ error: { kind: 'unreachable' } });
  });
});

describe('with --state', () => {
  it('uses the embedded AWS of that folder instead of the default one', async () => {
    stage.announce({});
    const { orderId } = await stage.addNotified('QO-42');
    const { exitCode, stdout } = await operate([
      '--state',
      stage.localStateDirectory,
      'orders',
      'get',
      orderId,
      '--json',
    ]);
    expect([exitCode, JSON.parse(stdout)]).toEqual([
      exitCodes.done,
      expect.objectContaining({ order: expect.objectContaining({ order_id: orderId }) }),
    ]);
  });

  it('reports a folder without a running embedded AWS', async () => {
    const { exitCode, stderr } = await stage.operate(['--state', '/nowhere', 'orders', 'get', 'QO-42']);
    expect([exitCode, stderr]).toEqual([exitCodes.unreachable, expect.stringContaining('is running in /nowhere')]);
  });
});

describe('against AWS', () => {
  const before = { ...process.env };
  let cloudFormation: ReturnType<typeof createServer>;
  const requests: string[] = [];

  /** Serves CloudFormation's `DescribeStacks` for the stacks of the stage only. */
  const respond = (stackName: string): { status: number; body: string } => {
    const outputs = Object.entries(stage.outputs).find(([name]) => name === stackName)?.[1];
    if (!outputs) {
      const error = `<Code>ValidationError</Code><Message>Stack with id ${stackName} does not exist</Message>`;
      return { status: 400, body: `<ErrorResponse><Error><Type>Sender</Type>${error}</Error></ErrorResponse>` };
    }
    const members = Object.entries(outputs).map(
      ([key, value]) => `<member><OutputKey>${key}</OutputKey><OutputValue>${value}</OutputValue></member>`,
    );
    const stack = `<member><StackName>${stackName}</StackName><Outputs>${members.join('')}</Outputs></member>`;
    const result = `<DescribeStacksResult><Stacks>${stack}</Stacks></DescribeStacksResult>`;
    return { status: 200, body: `<DescribeStacksResponse>${result}</DescribeStacksResponse>` };
  };

  beforeAll(async () => {
    stage.announce({});
    cloudFormation = createServer(async (request, response) => {
      const stackName = new URLSearchParams(await text(request)).get('StackName') ?? '';
      requests.push(`${stackName} ${/Credential=[^,]+/.exec(request.headers.authorization ?? '')?.[0]}`);
      const { status, body } = respond(stackName);
      response.writeHead(status, { 'content-type': 'text/xml' }).end(body);
    });
    await new Promise<void>((resolve) => cloudFormation.listen(0, '127.0.0.1', resolve));
    const { port } = cloudFormation.address() as AddressInfo;
    const { dynamodb, sqs } = readEndpoints();
    const { logs, sts } = stage.endpoints;
    Object.assign(process.env, {
      AWS_ENDPOINT_URL_CLOUDFORMATION: `http://127.0.0.1:${port}`,
      AWS_ENDPOINT_URL_DYNAMODB: dynamodb,
      AWS_ENDPOINT_URL_SQS: sqs,
      AWS_ENDPOINT_URL_CLOUDWATCH_LOGS: logs,
      AWS_ENDPOINT_URL_STS: sts,
      AWS_ACCESS_KEY_ID: 'operator',
      AWS_SECRET_ACCESS_KEY: 'secret',
      AWS_CONFIG_FILE: '/dev/null',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
      AWS_EC2_METADATA_DISABLED: 'true',
    });
  });

  afterAll(async () => {
    process.env = before;
    cloudFormation.closeAllConnections();
    await new Promise((resolve) => cloudFormation.close(resolve));
  });

  it("reads the names from the stacks' outputs, with the operator's credentials, in the given region", async () => {
    await stage.addFailed('QO-1');
    const { exitCode, stdout } = await operate(['orders', 'get', 'QO-1', '--region', 'eu-west-1', '--json']);
    expect(exitCode).toBe(exitCodes.done);
    expect(JSON.parse(stdout)).toMatchObject({ stage: 'dev', order: { order_id: 'QO-1', status: 'FAILED' } });
    expect(requests.sort()).toEqual([
      expect.stringMatching(/^dev-Data Credential=operator\/\d+\/eu-west-1\/cloudformation\//),
      expect.stringMatching(/^dev-Observability Credential=operator\//),
      expect.stringMatching(/^dev-OrderPipeline Credential=operator\//),
      expect.stringMatching(/^dev-SyncJobs Credential=operator\//),
    ]);
  });

  it("uses the queues of the stacks' outputs", async () => {
    await stage.addDeadLetter('download', { order_id: 'QO-1' });
    const redrive = ['dlq', 'redrive', 'download', '--yes', '--region', 'us-east-1'];
    const { exitCode, stdout } = await operate([...redrive, '--reason', 'Qualia is back']);
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: '1 message moved to the download queue.\n' });
    const actions = await operate(['actions', '--region', 'us-east-1', '--by', 'user/operator', '--json']);
    expect(JSON.parse(actions.stdout).actions).toEqual([
      expect.objectContaining({ verb: 'dlq redrive', ids: ['download'], count: 1, reason: 'Qualia is back' }),
    ]);
  });

  it('names the paused parts for a deployment, with the role that may only read', async () => {
    process.env.AWS_REGION = 'us-east-1';
    const table = { dynamodb: createClients().dynamodb, operationsTableName: stage.operationsTableName };
    const pause = { by: 'arn:jane', reason: 'maintenance', since: '2026-01-31T10:00:00Z', switches: [] };
    const records = createPauseRecords(table);
    await records.write({ part: 'sync', ...pause });
    await records.write({ part: 'download', ...pause, until: new Date(nowMs).toISOString() });
    expect(await readPausedParts('dev', nowMs)).toEqual(['sync']);
    expect(await readPausedParts('prod', nowMs)).toEqual([]);
    table.dynamodb.destroy();
    delete process.env.AWS_REGION;
  });

  it('changes nothing without a reason', async () => {
    const { exitCode, stderr } = await operate(['dlq', 'redrive', 'download', '--yes', '--region', 'us-east-1']);
    expect({ exitCode, stderr }).toEqual({
      exitCode: exitCodes.usage,
      stderr: 'error: --reason is missing: say why, for the record.\n',
    });
  });

  const expectUnreachable = ({ exitCode, stderr }: Outcome, expected: string): void => {
    expect({ exitCode, stderr }).toEqual({
      exitCode: exitCodes.unreachable,
      stderr: expect.stringContaining(expected),
    });
  };

  it('exits 3 when there is no such stage', async () => {
    const outcome = await operate(['dlq', 'list', '--stage', 'prod', '--region', 'us-east-1']);
    expectUnreachable(outcome, 'This account, in region us-east-1, has no stack prod-');
  });

  it('exits 3 without a region', async () => {
    expectUnreachable(await operate(['dlq', 'list']), 'No AWS region is set. Give --region, or set AWS_REGION.');
  });

  it('exits 3 without credentials', async () => {
    delete process.env.AWS_ACCESS_KEY_ID;
    delete process.env.AWS_SECRET_ACCESS_KEY;
    expectUnreachable(await operate(['dlq', 'list', '--region', 'us-east-1']), 'No AWS credentials were found.');
  });
});
