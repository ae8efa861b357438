import { randomUUID } from 'node:crypto';
import type { Machine } from './definition';
import type { Execution, ExecutionStore } from './execution-store';
import { type HistoryEvent, type LibraryEvent, toHistoryEvents } from './history';

/** Writes the events of one execution to its history, and those of its child executions to theirs. */
export interface HistoryWriter {
  write(event: LibraryEvent): void;
}

/**
 * Each item of a distributed Map has a child execution, with its own history. The library runs the items in the
 * execution itself: this derives the child executions from its events.
 */
export const createHistoryWriter = (store: ExecutionStore, machine: Machine, execution: Execution): HistoryWriter => {
  /** The newest event of each state, which is the previous one of its next event. */
  const newest = new Map<string, number>();
  const mapRuns = new Map<string, { readonly arn: string; readonly children: Map<number, Execution> }>();

  const append = (executionArn: string, event: LibraryEvent): void => {
    if (!('state' in event)) return;
    const key = `${executionArn} ${event.state.name}`;
    if (event.type === 'StateEntered') newest.delete(key);
    for (const entry of toHistoryEvents(event)) {
      newest.set(key, store.appendHistory(executionArn, entry, newest.get(key)));
    }
  };
  const arnIn = (kind: 'mapRun' | 'execution', label: string): string =>
    `${machine.arn.replace(':stateMachine:', `:${kind}:`)}/${label}:${randomUUID()}`;

  const startMapRun = (mapState: string, label: string): void => {
    const arn = arnIn('mapRun', label);
    mapRuns.set(mapState, { arn, children: new Map() });
    store.appendHistory(execution.executionArn, {
      type: 'MapRunStarted',
      mapRunStartedEventDetails: { mapRunArn: arn },
    });
  };

  const childOf = (state: string, index: number, input: unknown): Execution | undefined => {
    const mapState = machine.childStates.get(state) ?? '';
    const mapRun = mapRuns.get(mapState);
    if (mapRun === undefined) return undefined;
    const started = mapRun.children.get(index);
    if (started !== undefined) return started;
    const label = machine.distributedMaps.get(mapState) ?? '';
    const executionArn = arnIn('execution', label);
    const child: Execution = {
      executionArn,
      stateMachineArn: `${machine.arn}/${label}`,
      name: executionArn.replace(/^.*:/, ''),
      status: 'RUNNING',
      startedAt: Date.now(),
      redriveCount: 0,
      input: JSON.stringify(input),
      mapRun: { arn: mapRun.arn, parentArn: execution.executionArn },
    };
    mapRun.children.set(index, child);
    store.save(child);
    const begin: HistoryEvent = {
      type: 'ExecutionStarted',
      executionStartedEventDetails: {
        input: child.input,
        inputDetails: { truncated: false },
        roleArn: machine.roleArn,
      },
    };
    store.appendHistory(executionArn, begin);
    return child;
  };

  return {
    write(event) {
      if ('parentState' in event) {
        const mapRun = mapRuns.get(event.parentState.name);
        const child = mapRun && 'index' in event ? mapRun.children.get(event.index) : undefined;
        if (child === undefined) return;
        if (event.type === 'MapIterationSucceeded') endExecution(store, child, 'SUCCEEDED');
        if (event.type === 'MapIterationFailed') {
          endExecution(store, child, 'FAILED', { error: event.Error, cause: String(event.Cause) });
        }
        return;
      }
      if (!('state' in event)) return;
      const { name, input } = event.state;
      if (machine.childStates.has(name)) {
        const child = childOf(name, event.index ?? 0, input);
        if (child) append(child.executionArn, event);
        return;
      }
      const label = machine.distributedMaps.get(name);
      const mapRunEnd = { StateExited: 'MapRunSucceeded', StateFailed: 'MapRunFailed' }[event.type as string];
      if (label !== undefined && mapRunEnd !== undefined && mapRuns.delete(name)) {
        store.appendHistory(execution.executionArn, { type: mapRunEnd });
      }
      append(execution.executionArn, event);
      if (label !== undefined && event.type === 'StateEntered') startMapRun(name, label);
    },
  };
};

const endEvents = { SUCCEEDED: 'Succeeded', FAILED: 'Failed', TIMED_OUT: 'TimedOut', ABORTED: 'Aborted' } as const;

/** Ends a running execution, also in its history. */
const endExecution = (
  store: ExecutionStore,
  { executionArn }: Execution,
  status: keyof typeof endEvents,
  reason: { readonly error?: string; readonly cause?: string } = {},
): void => {
  const current = store.find(executionArn);
  if (current?.status !== 'RUNNING') return;
  store.save({ ...current, ...reason, status, stoppedAt: Date.now() });
  const word = endEvents[status];
  store.appendHistory(executionArn, { type: `Execution${word}`, [`execution${word}EventDetails`]: reason });
};

/** Ends the child executions of an execution that has ended. The library loses the last events of its items. */
export const endChildren = (store: ExecutionStore, { executionArn: parentArn, status }: Execution): void => {
  for (const child of store.list()) {
    if (child.mapRun?.parentArn === parentArn) endExecution(store, child, status === 'SUCCEEDED' ? status : 'ABORTED');
  }
};
