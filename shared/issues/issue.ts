import * as z from 'zod';

const timestamp = z.iso.datetime();

/** An item of the Operations table. All times are ISO 8601 UTC. Unknown attributes and codes of a newer release pass. */
export const issueSchema = z.object({
  id: z.string(),
  worker: z.string(),
  code: z.string(),
  status_code: z.number().optional(),
  detail: z.string().optional(),
  /** Rounds that failed with this cause. */
  count: z.number(),
  /** An order that failed with this cause: the newest of the last write. */
  sample: z.string(),
  first_seen: timestamp,
  last_seen: timestamp,
  /** The release in which it began, and the one that saw it last. */
  release: z.string(),
  last_release: z.string(),
  acknowledged_until: timestamp.optional(),
  resolved_at: timestamp.optional(),
  resolved_by: z.enum(['operator', 'quiet']).optional(),
  /** `count` when it was resolved. */
  resolved_count: z.number().optional(),
  /** For what was notified last, see `episodeOf`. */
  notified: z.string().optional(),
  /** Failures of the episode that the last notification named. */
  notified_count: z.number().optional(),
});

/** Failures of orders with the same cause. */
export type Issue = z.output<typeof issueSchema>;

export type IssueState = 'open' | 'acknowledged' | 'resolved';

const isResolved = ({ resolved_at, last_seen }: Issue): boolean =>
  resolved_at !== undefined && last_seen <= resolved_at;

/**
 * An issue's state follows from its times, so that a worker adds a failure without reading the issue: it is resolved until
 * the first failure after its resolution.
 */
export const stateOf = (issue: Issue, nowMs: number): IssueState => {
  if (isResolved(issue)) return 'resolved';
  const { acknowledged_until: until } = issue;
  return until !== undefined && Date.parse(until) > nowMs ? 'acknowledged' : 'open';
};

/** Whether an issue failed again after it was resolved. */
export const isReopened = (issue: Issue): boolean => issue.resolved_at !== undefined && !isResolved(issue);

/** Failures since the issue opened, or was opened again. */
export const episodeCountOf = (issue: Issue): number =>
  isResolved(issue) ? issue.count : issue.count - (issue.resolved_count ?? 0);

/** Identifies the time in which an issue is open, or resolved: each is notified once. */
export const episodeOf = (issue: Issue): string =>
  `${isResolved(issue) ? 'resolved' : 'open'} ${issue.resolved_at ?? 'first'}`;

/** A cause in words: `processing API_REFUSED 422 dueDate`. */
export const describeCause = ({ worker, code, status_code, detail }: Issue): string =>
  [worker, code, status_code, detail].filter((part) => part !== undefined).join(' ');

/** Anchor of the runbook heading about a cause. */
export const runbookOf = ({ code }: Pick<Issue, 'code'>): string =>
  code === 'RETRIES_EXHAUSTED' ? 'dead-letter-queue-not-empty' : 'orders-failed';
