import type { MachineShape, MachineState, Transition } from './definition';
import type { Visit, VisitEnd } from './visits';

/** An execution of the state machine, or of the items of its distributed Map, with the visits of its states. */
export interface VisitedExecution {
  /** The portal of a child execution; undefined for the run's own execution. */
  readonly portal: string | undefined;
  readonly visits: readonly Visit[];
}

/** `waiting`: not entered yet. */
export type StateStatus = VisitEnd | 'running' | 'waiting';

/** A state as the picture shows it. The visits of all executions count together. */
export interface GraphState extends MachineState {
  readonly status: StateStatus;
  /** How often it was entered: a loop counts, and so does each portal. */
  readonly visits: number;
  /** Executions that are in it. */
  readonly running: number;
  /** Executions that entered it. */
  readonly executions: number;
  /** Attempts that failed. */
  readonly failures: number;
  /** Name of the newest error. */
  readonly error: string | undefined;
}

/** A transition as the picture shows it. */
export interface GraphTransition extends Transition {
  readonly isTaken: boolean;
}

/** The state machine of a run with the states that it is in. */
export interface RunGraph {
  readonly states: readonly GraphState[];
  readonly transitions: readonly GraphTransition[];
}

/** Of the states in which portals are, the first one is shown. */
const precedence: readonly StateStatus[] = ['running', 'failed', 'stopped', 'caught', 'succeeded'];

const statusOf = (visit: Visit): StateStatus => visit.end ?? 'running';

/** Combines the definition of a state machine with the histories of a run's executions. */
export const runGraphOf = (
  { states, transitions }: MachineShape,
  executions: readonly VisitedExecution[],
): RunGraph => {
  const visitsOf = new Map(
    states.map(({ name }) => [
      name,
      executions.map(({ visits }) => visits.filter(({ state }) => state === name)).filter(({ length }) => length > 0),
    ]),
  );
  const toState = (state: MachineState): GraphState => {
    const byExecution = visitsOf.get(state.name) ?? [];
    const newest = byExecution.flatMap((visits) => visits.at(-1) ?? []);
    const found = new Set(newest.map(statusOf));
    const all = byExecution.flat();
    return {
      ...state,
      status: precedence.find((status) => found.has(status)) ?? 'waiting',
      visits: all.length,
      running: newest.filter(({ end }) => end === undefined).length,
      executions: byExecution.length,
      failures: all.reduce((sum, { failures }) => sum + failures, 0),
      error: all.findLast(({ error }) => error !== undefined)?.error,
    };
  };

  const isEntered = (name: string): boolean => visitsOf.get(name)?.length !== 0;
  const followed = new Set(executions.flatMap(({ visits }) => followedIn(visits, transitions)));
  // The states of a branch can be in another execution than what is around it.
  const isTaken = (transition: Transition): boolean =>
    transition.kind === 'branch' || transition.kind === 'end'
      ? isEntered(transition.from) && isEntered(transition.to)
      : followed.has(transition);
  return {
    states: states.map(toState),
    transitions: transitions.map((transition) => ({ ...transition, isTaken: isTaken(transition) })),
  };
};

/** The transitions between the states of one execution: each visit is followed by the next one of a possible state. */
const followedIn = (visits: readonly Visit[], transitions: readonly Transition[]): Transition[] =>
  visits.flatMap(({ state, end }, index) => {
    if (end === undefined) return [];
    const possible = transitions.filter(
      ({ from, kind }) => from === state && kind !== 'branch' && (end === 'caught') === (kind === 'catch'),
    );
    const next = visits.slice(index + 1).find((visit) => possible.some(({ to }) => to === visit.state));
    return possible.find(({ to }) => to === next?.state) ?? [];
  });
