import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { operationKey } from '../operations/key';
import { updateOf } from '../orders/expressions';
import type { OrderId } from '../orders/order';
import type { FailureCause } from './cause';

/** Failures with the same cause. */
export interface FailureGroup {
  readonly issueId: string;
  readonly cause: FailureCause;
  /** Rounds that failed for the first time. 0 if an issue was only seen again. */
  readonly count: number;
  /** One of the orders. */
  readonly sample: OrderId;
  readonly firstFailedAtMs: number;
}

export interface FailureWrite {
  /** Distinguishes this write from others, so that a retry of the call counts once. */
  readonly writeId: string;
  /** The release that writes. */
  readonly release: string;
  /** Not before any of the failures. */
  readonly atMs: number;
}

const iso = (ms: number): string => new Date(ms).toISOString();

/**
 * Adds failures to their issue in one update, which creates the issue if it is new. The update has no condition on the
 * issue's state: an issue with failures after its resolution is open again (`stateOf`).
 */
export const createRecordFailures =
  (client: DynamoDBDocumentClient, tableName: string) =>
  async ({ issueId, cause, count, sample, firstFailedAtMs }: FailureGroup, write: FailureWrite): Promise<void> => {
    const { expression, names, values } = updateOf(
      {
        worker: cause.worker,
        code: cause.code,
        status_code: cause.statusCode,
        detail: cause.detail,
        sample,
        last_seen: iso(write.atMs),
        last_release: write.release,
        last_write: write.writeId,
      },
      ['expires_at'],
    );
    const first =
      'first_seen = if_not_exists(first_seen, :first_seen), #release = if_not_exists(#release, :last_release)';
    try {
      await client.send(
        new UpdateCommand({
          TableName: tableName,
          Key: operationKey('ISSUE', issueId),
          UpdateExpression: `${expression.replace('SET ', `SET ${first}, `)} ADD #count :count`,
          ConditionExpression: 'attribute_not_exists(#last_write) OR #last_write <> :last_write',
          ExpressionAttributeNames: { ...names, '#release': 'release', '#count': 'count' },
          ExpressionAttributeValues: { ...values, ':first_seen': iso(firstFailedAtMs), ':count': count },
        }),
      );
    } catch (error) {
      // An earlier attempt of the same call took effect, and its response was lost.
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
    }
  };

export type RecordFailures = ReturnType<typeof createRecordFailures>;
