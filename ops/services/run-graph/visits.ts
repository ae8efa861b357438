/** The fields of an event of `GetExecutionHistory` that are read here. */
export interface HistoryEvent {
  readonly id?: number | undefined;
  readonly previousEventId?: number | undefined;
  readonly timestamp?: Date | undefined;
  readonly type?: string | undefined;
  readonly stateEnteredEventDetails?: { readonly name?: string | undefined } | undefined;
  readonly stateExitedEventDetails?: { readonly name?: string | undefined } | undefined;
  readonly lambdaFunctionFailedEventDetails?: FailureDetails | undefined;
  readonly lambdaFunctionTimedOutEventDetails?: FailureDetails | undefined;
  readonly lambdaFunctionScheduleFailedEventDetails?: FailureDetails | undefined;
  readonly lambdaFunctionStartFailedEventDetails?: FailureDetails | undefined;
}

interface FailureDetails {
  readonly error?: string | undefined;
}

/** `caught`: it ended with an error that the state machine handles. `stopped`: its execution was stopped meanwhile. */
export type VisitEnd = 'succeeded' | 'caught' | 'failed' | 'stopped';

/** One visit of a state: from its entry to its exit. */
export interface Visit {
  readonly state: string;
  readonly type: string;
  /** Epoch ms. */
  readonly enteredMs: number;
  /** Epoch ms; undefined while it lasts. */
  readonly leftMs: number | undefined;
  /** Undefined while it lasts. */
  readonly end: VisitEnd | undefined;
  /** Attempts that failed. */
  readonly failures: number;
  /** Name of the last attempt's error. */
  readonly error: string | undefined;
}

type OpenVisit = { -readonly [Key in keyof Visit]: Visit[Key] } & { hasFailed: boolean };

const entered = /^(\w+)StateEntered$/;
const failed = /^LambdaFunction(Failed|TimedOut|ScheduleFailed|StartFailed)$/;
const ended = /^Execution(Succeeded|Failed|Aborted|TimedOut)$/;
const endOf: Readonly<Record<string, VisitEnd>> = { Succeeded: 'succeeded', Failed: 'failed', TimedOut: 'failed' };

/** Reads the visits of states from the history of one execution, in the order of their entry. */
export const visitsOf = (events: readonly HistoryEvent[]): Visit[] => {
  const visits: OpenVisit[] = [];
  /** Id of an event → the visit that it belongs to. */
  const visitOf = new Map<number, OpenVisit>();
  const openNamed = (name: string | undefined) => visits.findLast((visit) => visit.state === name && isOpen(visit));

  for (const event of events) {
    const { id = 0, previousEventId = 0, timestamp, type = '' } = event;
    const atMs = timestamp?.getTime() ?? 0;
    const stateType = entered.exec(type)?.[1];
    const endWord = ended.exec(type)?.[1];
    if (stateType !== undefined) {
      const visit: OpenVisit = {
        state: event.stateEnteredEventDetails?.name ?? '',
        type: stateType,
        enteredMs: atMs,
        leftMs: undefined,
        end: undefined,
        failures: 0,
        error: undefined,
        hasFailed: false,
      };
      visits.push(visit);
      visitOf.set(id, visit);
    } else if (type.endsWith('StateExited')) {
      const name = event.stateExitedEventDetails?.name;
      const visit = openNamed(name) ?? visits.findLast(({ state }) => state === name);
      if (visit) Object.assign(visit, { leftMs: atMs, end: visit.hasFailed ? 'caught' : 'succeeded' });
    } else if (endWord !== undefined) {
      const end = endOf[endWord] ?? 'stopped';
      for (const visit of visits.filter(isOpen)) Object.assign(visit, { leftMs: atMs, end });
    } else {
      const visit = visitOf.get(previousEventId);
      if (visit === undefined) continue;
      visitOf.set(id, visit);
      visit.hasFailed = failed.test(type);
      if (visit.hasFailed) Object.assign(visit, { failures: visit.failures + 1, error: errorOf(event) });
      // A redrive continues the visit that ended with the execution.
      else if (type === 'LambdaFunctionScheduled') Object.assign(visit, { leftMs: undefined, end: undefined });
    }
  }
  return visits.map(({ hasFailed, ...visit }) => visit);
};

const isOpen = ({ end }: Visit): boolean => end === undefined;

const errorOf = (event: HistoryEvent): string =>
  event.lambdaFunctionFailedEventDetails?.error ??
  event.lambdaFunctionScheduleFailedEventDetails?.error ??
  event.lambdaFunctionStartFailedEventDetails?.error ??
  'States.Timeout';
