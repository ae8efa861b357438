/** Corrects a wrong clock: AWS refuses a signature whose time differs from its own by more than five minutes. */
import type { IncomingHttpHeaders } from 'node:http';

/** Errors with which AWS refuses a request because of its time, among other reasons. */
const skewErrors = new Set([
  'AccessDeniedException',
  'AuthFailure',
  'InvalidSignatureException',
  'RequestExpired',
  'RequestInTheFuture',
  'RequestTimeTooSkewed',
  'SignatureDoesNotMatch',
]);
const minSkewMs = 240_000;

/** The time at AWS, as far as it is known. */
export const createClock = () => {
  let offsetMs = 0;
  return {
    now: (): number => Date.now() + offsetMs,

    /**
     * Corrects the clock if the error may be due to it.
     *
     * @param signedWith the offset that the refused request was signed with
     * @returns whether another attempt has a better time
     */
    correct: (errorName: string, { date }: IncomingHttpHeaders, signedWith: number): boolean => {
      const serverMs = Date.parse(date ?? '');
      if (!skewErrors.has(errorName) || Number.isNaN(serverMs)) return false;
      const newOffsetMs = serverMs - Date.now();
      if (Math.abs(newOffsetMs - signedWith) < minSkewMs) return false;
      offsetMs = newOffsetMs;
      return true;
    },

    offsetMs: (): number => offsetMs,
  };
};
