import { isDeepStrictEqual } from 'node:util';
import type { Logger } from '@aws-lambda-powertools/logger';
import * as z from 'zod';
import { parseJson } from '../../shared/json';
import type { Portals } from '../../shared/netlife/portals';
import type { MetricsRecorder } from '../../shared/observability/metrics';
import type { OpenRunFolder } from '../../shared/runs/artifacts';
import { InvalidInput, type RunInput, readRunInput } from '../../shared/runs/input';
import type { JobInputs } from '../../shared/runs/jobs';
import { executionSchema, type RunPlan } from '../../shared/runs/plan';
import type { RunRepository } from '../../shared/runs/repository';
import { createStep } from '../../shared/runs/step';

export interface PlanRunDependencies {
  readonly portals: Portals;
  readonly openFolder: OpenRunFolder;
  readonly runs: Pick<RunRepository, 'start'>;
  readonly logger: Logger;
  readonly metrics: MetricsRecorder;
  readonly now: () => number;
}

const step = 'plan';
const schema = z.object({ input: z.unknown(), execution: executionSchema });

/** `PlanRun`: checks the input of an execution, and starts or resumes its run. */
export const createHandler = ({ portals, openFolder, runs, logger, metrics, now }: PlanRunDependencies) => {
  /** All parts of a run belong to one input. A run with another input would mix them. */
  const keepInput = async (input: RunInput): Promise<void> => {
    const folder = openFolder(input.run_id);
    const text = `${JSON.stringify(input, undefined, 2)}\n`;
    if (await folder.putOnce('input.json', text)) return;
    if (isDeepStrictEqual(parseJson((await folder.readText('input.json')) ?? ''), parseJson(text))) return;
    throw new InvalidInput([`run_id is that of a run with another input: ${folder.keyOf('input.json')}`]);
  };

  const run = async ({ input: given, execution }: z.output<typeof schema>): Promise<RunPlan & JobInputs> => {
    const input = readRunInput(given, execution.Name, { portals });
    logger.appendKeys({ run_id: input.run_id });
    await keepInput(input);
    const { started_at } = await runs.start({ input, executionArn: execution.Id, startedAtMs: now() });
    logger.info('sync step', { step, phase: 'ended' });
    return { ...input, started_at, execution_arn: execution.Id, redrive_count: execution.RedriveCount };
  };

  // The default of `run_id`.
  return createStep({ step, schema, logger, metrics, keys: ({ execution }) => ({ run_id: execution.Name }), run });
};
