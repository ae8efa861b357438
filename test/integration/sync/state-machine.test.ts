import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DescribeExecutionCommand,
  GetExecutionHistoryCommand,
  RedriveExecutionCommand,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import * as z from 'zod';
import { createApplication } from '../../../emulator/application';
import { readAssembly } from '../../../emulator/assembly';
import { startStepFunctionsApi } from '../../../emulator/step-functions/api';
import { readStateMachines } from '../../../emulator/step-functions/definition';
import { openExecutionStore } from '../../../emulator/step-functions/execution-store';
import { createExecutions } from '../../../emulator/step-functions/executions';
import { type NetlifeSimulator, startNetlifeSimulator } from '../../../local/simulators/netlife';
import { planSchema } from '../../../shared/runs/plan';
import { assemblyOf } from '../../infra/synth';
import { noEndpoints } from '../../support/roles';
import { credentials, setFaults, startSystem, takeRequests } from './system';

const portal = 'nowandforeverphoto';
const jobs = 4;

let netlife: NetlifeSimulator;
beforeAll(async () => {
  netlife = await startNetlifeSimulator({
    credentials: credentials.netlife,
    portals: [{ name: portal, jobs, activitiesPerJob: 1, subjectsPerJob: 3 }],
    rateLimitPerSecond: 100_000,
  });
});
afterAll(() => netlife.stop());

const runSchema = z.looseObject(planSchema.shape);
const executionSchema = z.object({ Id: z.string(), Name: z.string(), RedriveCount: z.number() });
const planEventSchema = z.object({ input: z.unknown(), execution: executionSchema });
const portalEventSchema = z.object({ run: runSchema, portal: z.string(), execution: executionSchema });
const mergeEventSchema = portalEventSchema.extend({ collected: z.looseObject({}) });
const finishEventSchema = z.object({
  run: runSchema.extend({ outcomes: z.looseObject({}) }),
  execution: executionSchema,
});

interface MachineOptions {
  readonly failPartial?: boolean;
  /** Runs before a worker's first call to the portal. */
  readonly beforeCollecting?: (runId: string) => Promise<unknown>;
  /** Receives what `PlanRun` returned. */
  readonly onPlanned?: (planned: object) => Promise<void>;
}

/** The deployed state machine in the embedded Step Functions, with the Lambdas in this process. */
const startMachine = async (options: MachineOptions = {}) => {
  const { failPartial = false, beforeCollecting = async () => undefined, onPlanned = async () => undefined } = options;
  const directory = mkdtempSync(join(tmpdir(), 'sync-machine-'));
  const store = openExecutionStore(directory);
  const system = await startSystem({
    netlifeUrl: netlife.baseUrl,
    failPartial,
    hasEnded: async (executionArn) => store.find(executionArn)?.status !== 'RUNNING',
  });
  const lambdas: Readonly<Record<string, (event: unknown) => Promise<unknown>>> = {
    'plan-run': async (event) => {
      const { input, execution } = planEventSchema.parse(event);
      const planned = await system.tryPlan(input, execution);
      await onPlanned(Object(planned));
      return planned;
    },
    'netlife-collect': (event) => {
      const { run, portal: name, execution } = portalEventSchema.parse(event);
      return system.collect(run, name, { pause: () => beforeCollecting(run.run_id) }, execution.RedriveCount);
    },
    'netlife-merge': (event) => {
      const { run, portal: name, collected, execution } = mergeEventSchema.parse(event);
      return system.merge(run, name, undefined, collected, execution.RedriveCount);
    },
    'finish-run': (event) => {
      const { run, execution } = finishEventSchema.parse(event);
      return system.finish(run, run.outcomes, execution);
    },
  };
  const lambdaAt = (arn: string) => {
    const [, name = ''] = /-marketplace-([\w-]+)$/.exec(arn) ?? [];
    const lambda = lambdas[name];
    if (lambda === undefined) throw new Error(`There is no Lambda for ${arn}`);
    return {
      throttles: () => false,
      invoke: async (event: string) => {
        try {
          return { payload: JSON.stringify((await lambda(JSON.parse(event))) ?? null) };
        } catch (error) {
          const { name: errorType, message: errorMessage } = error instanceof Error ? error : new Error(String(error));
          return { payload: JSON.stringify({ errorType, errorMessage }), functionError: 'Unhandled' };
        }
      },
    };
  };

  const ends = new Map<string, () => void>();
  const executions = createExecutions(
    store,
    (arn) => lambdaAt(arn) as never,
    ({ executionArn, status }) => {
      if (status !== 'RUNNING') ends.get(executionArn)?.();
    },
    { WaitForOtherRun: 20 },
  );
  const machines = readStateMachines(createApplication(readAssembly(assemblyOf('dev')), noEndpoints));
  const [machine] = machines;
  if (machine === undefined) throw new Error('There is no state machine');
  const api = await startStepFunctionsApi(() => ({ machines, store, executions }));
  const identity = { accessKeyId: 'test', secretAccessKey: 'test' };
  const client = new SFNClient({ endpoint: api.url, region: 'us-east-1', credentials: identity });
  const arnOf = (name: string) => `${machine.arn.replace(':stateMachine:', ':execution:')}:${name}`;

  /** Waits for the end of an execution that `begin` starts. */
  const toItsEnd = async (name: string, begin: () => Promise<unknown>) => {
    const executionArn = arnOf(name);
    const ended = new Promise<void>((resolve) => ends.set(executionArn, resolve));
    await begin();
    await ended;
    return client.send(new DescribeExecutionCommand({ executionArn }));
  };

  return {
    system,
    run: (name: string, more: object = {}) => {
      const input = JSON.stringify({ netlife: { portals: [portal], max_access_key_age_days: 0 }, ...more });
      return toItsEnd(name, () =>
        client.send(new StartExecutionCommand({ stateMachineArn: machine.arn, name, input })),
      );
    },
    redrive: (name: string) =>
      toItsEnd(name, () => client.send(new RedriveExecutionCommand({ executionArn: arnOf(name) }))),
    /** The names of the states that an execution entered, in order. */
    entered: async (name: string) => {
      const command = new GetExecutionHistoryCommand({ executionArn: arnOf(name), maxResults: 1_000 });
      const { events = [] } = await client.send(command);
      return events.flatMap(({ stateEnteredEventDetails: state }) => state?.name ?? []);
    },
    stop: async () => {
      await executions.stop();
      client.destroy();
      await api.stop();
      system.stop();
      rmSync(directory, { recursive: true });
    },
  };
};

test('a run with `"after": "wait"` waits in the state machine for the run that holds the lease, and then runs', async () => {
  const firstMayCollect = Promise.withResolvers<void>();
  const firstCollects = Promise.withResolvers<void>();
  const collecting: string[] = [];
  /** The status of the other run while a run waits, or is about to call the portal. */
  const seen: unknown[] = [];
  let waits = 0;
  const statusOf = async (runId: string) => (await machine.system.runs.read(runId))?.status;
  const machine = await startMachine({
    beforeCollecting: async (runId) => {
      collecting.push(runId);
      if (runId === 'second') return seen.push(await statusOf('first'));
      firstCollects.resolve();
      return firstMayCollect.promise;
    },
    onPlanned: async (planned) => {
      if (!('waiting' in planned) || ++waits !== 3) return;
      seen.push(await statusOf('second'), ...collecting);
      firstMayCollect.resolve();
    },
  });
  try {
    const first = machine.run('first');
    await firstCollects.promise;
    const second = machine.run('second', { after: 'wait' });
    expect([(await first).status, (await second).status]).toEqual(['SUCCEEDED', 'SUCCEEDED']);
    expect(seen).toEqual(['WAITING', 'first', 'SUCCEEDED']);

    const states = await machine.entered('second');
    const loops = states.filter((state) => state === 'WaitForOtherRun').length;
    expect(loops).toBeGreaterThanOrEqual(3);
    expect(states.filter((state) => state === 'PlanRun')).toHaveLength(loops + 1);
    expect(states).toEqual(expect.arrayContaining(['Portals', 'FinishRun', 'Done']));
    expect(await machine.system.runs.read('second')).toMatchObject({
      status: 'SUCCEEDED',
      counters: { [`netlife/${portal}`]: { done: jobs } },
    });
  } finally {
    await machine.stop();
  }
});

test('a PARTIAL run that fails its execution by the setting is redriven, and succeeds', async () => {
  const machine = await startMachine({ failPartial: true });
  try {
    await takeRequests(netlife.controlUrl);
    await setFaults(netlife.controlUrl, { kind: 'client_error', match: { call: 'subjects' }, times: 1 });
    const failed = await machine.run('partial');
    expect(failed).toMatchObject({ status: 'FAILED', error: 'RunFailed', redriveStatus: 'REDRIVABLE' });
    expect(failed.cause).toContain('netlife PARTIAL');
    expect(await machine.system.runs.read('partial')).toMatchObject({ status: 'PARTIAL' });
    const before = await takeRequests(netlife.controlUrl);

    await setFaults(netlife.controlUrl);
    expect(await machine.redrive('partial')).toMatchObject({ status: 'SUCCEEDED', redriveCount: 1 });
    expect(await machine.system.runs.read('partial')).toMatchObject({ status: 'SUCCEEDED' });
    const folder = machine.system.folder('partial');
    expect(JSON.parse((await folder.readText('summary.json')) ?? '')).toMatchObject({
      status: 'SUCCEEDED',
      netlife: { portals: [{ portal, failed_jobs: [], statistics: { jobs_processed: jobs, jobs_failed: 0 } }] },
    });
    // Only the job that had failed is collected again.
    const repeated = (await takeRequests(netlife.controlUrl)).length;
    expect(repeated).toBeGreaterThan(0);
    expect(repeated).toBeLessThan(before.length / 2);
  } finally {
    await machine.stop();
  }
});
