import type { StateMachine } from 'aws-local-stepfunctions';

/** An event of the library. */
export type LibraryEvent =
  ReturnType<StateMachine['run']>['eventLogs'] extends AsyncGenerator<infer Event> ? Event : never;

/** An event of an execution's history as `GetExecutionHistory` returns it, without its id and timestamp. */
export interface HistoryEvent {
  readonly type: string;
  readonly [details: `${string}Details`]: unknown;
}

const json = (value: unknown) => JSON.stringify(value ?? null);

/**
 * Converts an event of the library to events of Step Functions. Some, such as a retry, have no equivalent. The caller
 * adds the events of the execution itself.
 */
export const toHistoryEvents = (event: LibraryEvent): HistoryEvent[] => {
  switch (event.type) {
    case 'StateEntered': {
      const { name, type, input } = event.state;
      const entered: HistoryEvent = {
        type: `${type}StateEntered`,
        stateEnteredEventDetails: { name, input: json(input), inputDetails: { truncated: false } },
      };
      return type === 'Task'
        ? [entered, { type: 'LambdaFunctionScheduled', lambdaFunctionScheduledEventDetails: { resource: name } }]
        : [entered];
    }
    case 'StateExited': {
      const { name, type, output } = event.state;
      return [
        {
          type: `${type}StateExited`,
          stateExitedEventDetails: { name, output: json(output), outputDetails: { truncated: false } },
        },
      ];
    }
    case 'StateFailed': {
      const details = { error: event.Error, cause: causeOf(event.Cause) };
      return event.state.type === 'Task'
        ? [{ type: 'LambdaFunctionFailed', lambdaFunctionFailedEventDetails: details }]
        : [];
    }
    default:
      return [];
  }
};

/** The message of an error, where the library passes the error itself. */
const causeOf = (cause: unknown): string => {
  if (cause instanceof Error) {
    return cause.message;
  }
  return typeof cause === 'string' ? cause : json(cause);
};
