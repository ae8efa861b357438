import type { Logger } from '@aws-lambda-powertools/logger';
import type { Context } from 'aws-lambda';
import { PipelineError, toPipelineError } from '../../shared/errors';
import { describeCause, episodeCountOf, type Issue, stateOf } from '../../shared/issues/issue';
import type { IssueStore } from '../../shared/issues/issue-store';
import type { RecordFailures } from '../../shared/issues/record-failures';
import type { OrderQueries } from '../../shared/orders/queries';
import { comparedMs, findUnrecorded, readFailedOrders } from './failed-orders';
import { type Notice, noticeFor, renderNotice } from './notice';

export interface IssueWatchDependencies {
  readonly stage: string;
  readonly release: string;
  readonly store: Pick<IssueStore, 'list' | 'resolve' | 'recordNotice'>;
  readonly orders: Pick<OrderQueries, 'listFailed'>;
  readonly recordFailures: RecordFailures;
  readonly notify: (notice: Notice) => Promise<void>;
  readonly logger: Logger;
  readonly newWriteId: () => string;
  readonly now: () => number;
}

/** An issue without a failure for this time, and without an order, is resolved. */
const quietMs = 24 * 3_600_000;

/**
 * Adds failures that are missing in their issue, resolves issues that are over, and sends each notification that is due.
 * A notification is sent first and recorded then: after a crash in between it is sent again, but it is never lost.
 */
export const createHandler = (dependencies: IssueWatchDependencies) => {
  const { stage, release, store, orders, recordFailures, notify, logger, newWriteId, now } = dependencies;

  const readIssues = async (): Promise<readonly Issue[]> => {
    const { issues, unreadable } = await store.list(now());
    if (unreadable > 0) logger.warn('issues cannot be read', { count: unreadable });
    return issues;
  };

  const sendNotice = async (issue: Issue): Promise<boolean> => {
    const kind = noticeFor(issue, now());
    if (kind === undefined) return false;
    await notify(renderNotice(kind, issue, stage));
    await store.recordNotice(issue);
    logger.info('issue notified', {
      issue_id: issue.id,
      reason: kind,
      count: episodeCountOf(issue),
      cause: describeCause(issue),
    });
    return true;
  };

  return async (_event: unknown, context: Context): Promise<void> => {
    logger.addContext(context);
    const before = await readIssues();
    const nowMs = now();
    const quiet = before.filter(
      (issue) => stateOf(issue, nowMs) !== 'resolved' && Date.parse(issue.last_seen) < nowMs - quietMs,
    );
    // An order of an issue failed after the issue was first seen, by the clock of another Lambda.
    const sinceMs = Math.min(nowMs, ...quiet.map(({ first_seen }) => Date.parse(first_seen))) - comparedMs;
    const failed = await readFailedOrders(orders, sinceMs);

    for (const group of findUnrecorded(failed, before, nowMs)) {
      await recordFailures(group, { writeId: newWriteId(), release, atMs: now() });
      logger.warn('failures added to their issue', { issue_id: group.issueId, count: group.count });
    }
    const occupied = new Set(failed.map(({ error }) => error.issue_id));
    for (const issue of quiet.filter(({ id }) => !occupied.has(id)))
      await store.resolve(issue.id, 'quiet', now(), issue);

    const failures: unknown[] = [];
    for (const issue of await readIssues()) {
      await sendNotice(issue).catch((thrown: unknown) => {
        failures.push(thrown);
        const { code, message } = toPipelineError(thrown);
        logger.error('issue not notified', { issue_id: issue.id, error: message, error_code: code });
      });
    }
    // Lambda repeats the invocation, and the alarm on this function reports it.
    if (failures.length > 0) {
      throw new PipelineError('AWS_FAULT', `Notifications that could not be sent: ${failures.length}`, {
        retryable: true,
      });
    }
  };
};
