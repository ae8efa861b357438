import { isDiskFull } from '../../emulator/full-disk';
import { StateError } from '../../emulator/state-files';

/** Describes an error that ended a start: one sentence if the user can fix it, otherwise the stack trace. */
export const describeFailure = (error: unknown, stateDirectory: string): string => {
  if (error instanceof StateError) return error.message;
  if (isDiskFull(error)) {
    return `The disk of ${stateDirectory} is full (${error.message}): free some space and start again, nothing that was acknowledged is lost.`;
  }
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
};
