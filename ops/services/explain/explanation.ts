/** A fact that explains an answer. */
export interface Reason {
  readonly at?: Date | undefined;
  /** A clause without a full stop. Without personal data. */
  readonly text: string;
  /** Arguments of the `pipeline` command that shows or changes more. */
  readonly command?: string;
}

/** Why something is, or is not, at its destination. */
export interface Explanation {
  readonly kind: 'order' | 'customer' | 'subject';
  readonly id: string;
  readonly destination: string;
  readonly answer: 'yes' | 'no' | 'not yet' | 'unknown';
  /** The main reason in a few words. Without personal data. */
  readonly summary: string;
  readonly reasons: readonly Reason[];
}

/** A time in few characters, in UTC: `02:11` on the same day, `24 Nov` in the same year, otherwise `24 Nov 2025`. */
export const when = (at: Date, nowMs: number): string => {
  const [day, now] = [at.toISOString(), new Date(nowMs).toISOString()];
  if (day.slice(0, 10) === now.slice(0, 10)) return day.slice(11, 16);
  const isThisYear = day.slice(0, 4) === now.slice(0, 4);
  return at.toLocaleDateString('en-GB', {
    day: 'numeric',
    month: 'short',
    timeZone: 'UTC',
    ...(!isThisYear && { year: 'numeric' }),
  });
};
