import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { cutUnfinishedLine, parseState, writeStateFile } from '../state-files';
import type { HistoryEvent } from './history';

const executionSchema = z.object({
  executionArn: z.string(),
  stateMachineArn: z.string(),
  name: z.string(),
  status: z.enum(['RUNNING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED']),
  /** Unix times in ms. */
  startedAt: z.number(),
  stoppedAt: z.number().optional(),
  redrivenAt: z.number().optional(),
  redriveCount: z.number(),
  /** JSON texts. */
  input: z.string(),
  output: z.string().optional(),
  error: z.string().optional(),
  cause: z.string().optional(),
  /** The newest state outside all branches, and its input. A redrive starts there. */
  reached: z.object({ state: z.string(), input: z.unknown() }).optional(),
  /** Of a child execution: its Map Run, and the execution that started it. */
  mapRun: z.object({ arn: z.string(), parentArn: z.string() }).optional(),
});

/** A stored execution. */
export type Execution = z.infer<typeof executionSchema>;

const eventSchema = z.looseObject({ id: z.number(), timestamp: z.number(), type: z.string() });

/** The executions of all state machines, stored as files in a directory. */
export interface ExecutionStore {
  /** Newest first. */
  list(): Execution[];
  find(executionArn: string): Execution | undefined;
  save(execution: Execution): void;
  /**
   * @param previousEventId default: the last event
   * @returns the event's id
   */
  appendHistory(executionArn: string, event: HistoryEvent, previousEventId?: number): number;
  readHistory(executionArn: string): z.infer<typeof eventSchema>[];
}

const forgetAdvice = 'Delete it: only this execution is lost.';

/**
 * Opens the executions of earlier starts. Executions that were running when the process ended become ABORTED: they can
 * be redriven, or started again with another name.
 * @throws {StateError} if a file is damaged
 */
export const openExecutionStore = (directory: string): ExecutionStore => {
  mkdirSync(directory, { recursive: true });
  const executions = new Map<string, Execution>();
  const lastIds = new Map<string, number>();
  const file = (executionArn: string, extension: string) =>
    path.join(directory, `${encodeURIComponent(executionArn.split(':').slice(-2).join('~'))}.${extension}`);

  const save = (execution: Execution) => {
    executions.set(execution.executionArn, execution);
    writeStateFile(file(execution.executionArn, 'json'), JSON.stringify(execution));
  };
  const readHistory = (executionArn: string) => {
    const source = file(executionArn, 'history.ndjson');
    const lines = existsSync(source) ? readFileSync(source, 'utf8').split('\n') : [];
    // The last line is empty, or incomplete after a kill.
    return lines.slice(0, -1).map((line) => parseState(source, line, eventSchema, forgetAdvice));
  };
  const appendHistory = (executionArn: string, event: HistoryEvent, previous?: number): number => {
    if (!lastIds.has(executionArn)) {
      // A kill or a full disk left this file.
      cutUnfinishedLine(file(executionArn, 'history.ndjson'));
    }
    const id = (lastIds.get(executionArn) ?? readHistory(executionArn).length) + 1;
    lastIds.set(executionArn, id);
    const line = JSON.stringify({ id, previousEventId: previous ?? id - 1, timestamp: Date.now() / 1000, ...event });
    appendFileSync(file(executionArn, 'history.ndjson'), `${line}\n`);
    return id;
  };

  for (const name of readdirSync(directory).filter((one) => one.endsWith('.json'))) {
    const source = path.join(directory, name);
    const execution = parseState(source, readFileSync(source, 'utf8'), executionSchema, forgetAdvice);
    executions.set(execution.executionArn, execution);
    if (execution.status === 'RUNNING') {
      const cause = 'The embedded AWS was stopped';
      save({ ...execution, status: 'ABORTED', stoppedAt: Date.now(), error: 'EmbeddedAws.Stopped', cause });
      const details = { error: 'EmbeddedAws.Stopped', cause };
      appendHistory(execution.executionArn, { type: 'ExecutionAborted', executionAbortedEventDetails: details });
    }
  }

  return {
    list: () => [...executions.values()].toSorted((a, b) => b.startedAt - a.startedAt),
    find: (executionArn) => executions.get(executionArn),
    save,
    appendHistory,
    readHistory,
  };
};
