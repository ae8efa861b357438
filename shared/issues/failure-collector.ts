import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '@aws-lambda-powertools/logger';
import { toPipelineError } from '../errors';
import type { OrderId } from '../orders/order';
import { type FailureCause, issueIdOf } from './cause';
import type { FailureGroup, RecordFailures } from './record-failures';

export interface Failure {
  readonly cause: FailureCause;
  readonly orderId: OrderId;
  /** Whether this round of the order already failed with this cause, before a redrive. It does not count again. */
  readonly isRepeated: boolean;
}

/**
 * Collects the failures of a batch, so that a thousand failures with one cause do not make a thousand writes to one
 * item. Each was written to its order before, so that nothing is lost here: what is not recorded (a crash, an error of
 * DynamoDB), `issue-watch` finds in the index of failed orders.
 */
export interface FailureCollector {
  add(failure: Failure): void;
  /** Records everything that was added, one write per issue. Never throws, and ends within the given time. */
  flush(withinMs: number): Promise<void>;
}

export interface FailureCollectorOptions {
  readonly recordFailures: RecordFailures;
  readonly release: string;
  readonly logger: Logger;
  readonly now: () => number;
}

export const createFailureCollector = (options: FailureCollectorOptions): FailureCollector => {
  const { recordFailures, release, logger, now } = options;
  let groups = new Map<string, FailureGroup>();

  const record = async (group: FailureGroup, atMs: number): Promise<void> => {
    try {
      await recordFailures(group, { writeId: randomUUID(), release, atMs });
    } catch (thrown) {
      const { code, message } = toPipelineError(thrown);
      logger.warn('issue not recorded', { issue_id: group.issueId, error: message, error_code: code });
    }
  };

  return {
    add: ({ cause, orderId, isRepeated }) => {
      const issueId = issueIdOf(cause);
      const before = groups.get(issueId);
      groups.set(issueId, {
        issueId,
        cause,
        count: (before?.count ?? 0) + (isRepeated ? 0 : 1),
        sample: orderId,
        firstFailedAtMs: before?.firstFailedAtMs ?? now(),
      });
    },

    flush: async (withinMs) => {
      if (groups.size === 0) return;
      const collected = [...groups.values()];
      groups = new Map();
      const atMs = now();
      const timeout = new AbortController();
      const recorded = Promise.all(collected.map((group) => record(group, atMs)));
      const tooLate = sleep(withinMs, undefined, { signal: timeout.signal }).catch(() => undefined);
      await Promise.race([recorded, tooLate]);
      timeout.abort();
    },
  };
};
