import {
  DescribeStateMachineForExecutionCommand,
  ExecutionDoesNotExist,
  type ExecutionListItem,
  paginateGetExecutionHistory,
  paginateListExecutions,
} from '@aws-sdk/client-sfn';
import * as z from 'zod';
import { mapInOrderFailFast } from '../../../shared/concurrency/fail-fast';
import { parseJson } from '../../../shared/json';
import type { StageConnection } from '../stage-connection';
import { type MachineShape, readDefinition } from './definition';
import { type RunGraph, runGraphOf, type VisitedExecution } from './graph';
import { visitsOf } from './visits';
import { type WaterfallRow, waterfallOf } from './waterfall';

/** What a run's executions did. */
export interface RunPicture {
  readonly graph: RunGraph;
  readonly waterfall: readonly WaterfallRow[];
}

const childInputSchema = z.object({ portal: z.string() });
/** Histories that are read at the same time. */
const bounds = { inFlight: 5, window: 5 };

/**
 * Reads the state machine of a run, and the histories of its execution and child executions. Keeps what can no longer
 * change: a live picture reads only the histories of executions that run.
 */
export const createRunPictures = ({ sfn }: Pick<StageConnection, 'sfn'>) => {
  const shapes = new Map<string, MachineShape>();
  const ended = new Map<string, VisitedExecution>();

  const readShape = async (executionArn: string): Promise<MachineShape> => {
    const known = shapes.get(executionArn);
    if (known !== undefined) return known;
    const { definition = '' } = await sfn.send(new DescribeStateMachineForExecutionCommand({ executionArn }));
    const shape = readDefinition(definition);
    shapes.set(executionArn, shape);
    return shape;
  };

  const readEvents = async (executionArn: string) => {
    const events = [];
    for await (const page of paginateGetExecutionHistory({ client: sfn }, { executionArn, maxResults: 1_000 })) {
      events.push(...(page.events ?? []));
    }
    return events;
  };

  async function* listChildren(mapRunArn: string): AsyncGenerator<ExecutionListItem> {
    for await (const { executions = [] } of paginateListExecutions({ client: sfn }, { mapRunArn })) yield* executions;
  }

  const readChild = async ({ executionArn = '', status, redriveCount = 0 }: ExecutionListItem) => {
    const key = `${executionArn} ${redriveCount}`;
    const known = ended.get(key);
    if (known !== undefined) return known;
    const events = await readEvents(executionArn);
    const input = parseJson(events[0]?.executionStartedEventDetails?.input ?? '');
    const child: VisitedExecution = {
      portal: childInputSchema.safeParse(input).data?.portal,
      visits: visitsOf(events),
    };
    if (status !== 'RUNNING' && status !== 'PENDING_REDRIVE') ended.set(key, child);
    return child;
  };

  return {
    /** @returns undefined if Step Functions no longer, or not yet, knows the execution */
    read: async (executionArn: string): Promise<RunPicture | undefined> => {
      try {
        const [shape, events] = await Promise.all([readShape(executionArn), readEvents(executionArn)]);
        const run: VisitedExecution = { portal: undefined, visits: visitsOf(events) };
        const all = [run];
        let newest: VisitedExecution[] = [];
        for (const { mapRunStartedEventDetails } of events) {
          const { mapRunArn } = mapRunStartedEventDetails ?? {};
          if (mapRunArn === undefined) continue;
          // After a redrive, the run has a further Map Run.
          newest = [];
          for await (const child of mapInOrderFailFast(listChildren(mapRunArn), bounds, readChild)) newest.push(child);
          all.push(...newest);
        }
        return { graph: runGraphOf(shape, [run, ...newest]), waterfall: waterfallOf(all) };
      } catch (error) {
        if (error instanceof ExecutionDoesNotExist) return undefined;
        throw error;
      }
    },
  };
};
