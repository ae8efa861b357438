import * as fc from 'fast-check';
import { createHandler } from '../../../lambdas/plan-run/handler';
import { errorCodes, PipelineError } from '../../../shared/errors';
import { parseJson } from '../../../shared/json';
import { createPortals } from '../../../shared/netlife/portals';
import { createLogger } from '../../../shared/observability/logger';
import { InvalidInput } from '../../../shared/runs/input';
import type { JobInputs } from '../../../shared/runs/jobs';
import type { RunPlan } from '../../../shared/runs/plan';
import { lambdaContext } from '../../support/lambda-context';
import { memoryFolder } from '../../support/memory-folder';
import { recordMetrics } from '../../support/metrics';
import { type Bytes, hostileBytes, largeCorpus, toBuffer } from '../bytes';
import type { FuzzTarget } from '../engine';
import { hostileTexts } from '../hostile-values';
import { leaksOf } from '../leaks';

/** The event of the state machine's first state. */
interface Input {
  readonly body: Bytes;
  readonly executionName: string;
}

interface Outcome {
  readonly plan?: RunPlan & JobInputs;
  readonly error?: PipelineError | InvalidInput;
  /** Runs whose folder was opened. */
  readonly opened: readonly string[];
}

const opened: string[] = [];
const portals = createPortals();
const handler = createHandler({
  portals,
  openFolder: (runId) => {
    opened.push(runId);
    return memoryFolder().folder;
  },
  hasEnded: async () => false,
  runs: {
    read: async () => undefined,
    stop: async () => undefined,
    refuse: async () => 0,
    start: async ({ input, executionArn }) => ({
      run_id: input.run_id,
      status: 'RUNNING',
      started_at: '2026-11-22T01:02:03.000Z',
      updated_at: '2026-11-22T01:02:03.000Z',
      execution_arn: executionArn,
      input: { ...input },
      counters: {},
    }),
  },
  logger: createLogger({ STAGE: 'dev', SERVICE_VERSION: '1' }),
  metrics: recordMetrics().recorder,
  now: Date.now,
});

const inputs = [
  {},
  {
    run_id: 'nightly-2026-11-22',
    dry_run: false,
    netlife: {
      portals: ['nowandforeverphoto'],
      audience: 'both',
      contact_filter: 'any',
      check_registered_users: true,
      registered_only: false,
      create_access_keys: false,
      job_ids: ['job-1'],
      consent: 'SUBSCRIBE',
      max_access_key_age_days: 0,
    },
    iterable: { mode: 'bulk', use_jwt: false, plan: 'pro', pages: ['pricing', 'settings'], days: 7, limit: 0 },
  },
];

const bodyOf = (input: unknown): Buffer => Buffer.from(JSON.stringify(input));
const runId = /^[A-Za-z0-9_-]{1,80}$/;
/** Maximum length of a cause in Step Functions. */
const maxCauseCharacters = 32_768;
/** Control and format characters. Causes are one line, and quote the input. */
const controlCharacters = /[\p{Cc}\p{Cf}\u2028\u2029]/u;

/** The input of an execution, until the run's folder is created. */
export const runInput: FuzzTarget<Input, Outcome> = {
  name: 'run-input',
  corpus: {
    'a valid input': { body: bodyOf(inputs[1]), executionName: 'nightly' },
    ...largeCorpus(inputs[1], (body) => ({ body, executionName: 'nightly' })),
    'a run id with a parent folder': { body: bodyOf({ run_id: '../other/x' }), executionName: 'nightly' },
    'an execution name with a parent folder': { body: bodyOf({}), executionName: '../x' },
    '100 unknown portals': {
      body: bodyOf({ netlife: { portals: Array(100).fill('x') } }),
      executionName: 'nightly',
    },
    '10,000 unknown keys': {
      body: bodyOf(Object.fromEntries(Array.from({ length: 10_000 }, (_, key) => [`unknown-${key}`, 0]))),
      executionName: 'nightly',
    },
  },
  arbitrary: fc.record({
    body: hostileBytes(inputs),
    executionName: fc.oneof(
      { weight: 6, arbitrary: fc.constant('nightly') },
      { weight: 1, arbitrary: fc.constantFrom(...hostileTexts) },
    ),
  }),
  run: async ({ body, executionName }) => {
    opened.length = 0;
    const execution = { Id: 'arn:aws:states:us-east-1:000000000000:execution:x:nightly', Name: executionName };
    try {
      const plan = await handler({ input: parseJson(toBuffer(body)), execution }, lambdaContext());
      if (!('started_at' in plan)) throw new Error('No other run exists');
      return { plan, opened: [...opened] };
    } catch (error) {
      if (error instanceof PipelineError || error instanceof InvalidInput) return { error, opened: [...opened] };
      throw error;
    }
  },
  check: ({ plan, error, opened }) => {
    const { code, message } = error ?? { code: undefined, message: '' };
    return [
      ...(opened.every((id) => runId.test(id)) ? [] : ['a run id is not a valid key segment']),
      ...(plan === undefined || opened[0] === plan.run_id ? [] : ['the folder belongs to another run']),
      ...(plan?.netlife?.portals.every((name) => portals.find(name)) === false ? ['a portal is unknown'] : []),
      ...(JSON.stringify(plan ?? null).includes('polluted') ? ['the plan contains polluted keys'] : []),
      ...(code === undefined || (errorCodes.includes(code) && code !== 'INTERNAL_FAULT')
        ? []
        : [`it failed with ${code}`]),
      ...(message.length <= maxCauseCharacters ? [] : [`the cause has ${message.length} characters`]),
      ...(controlCharacters.test(message) ? ['the cause contains control characters'] : []),
      ...leaksOf(message, []),
    ];
  },
  secretTexts: [],
};
