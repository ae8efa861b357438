import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { operationKey } from '../operations/key';
import { listOperations } from '../operations/list';
import { updateOf } from '../orders/expressions';
import { episodeCountOf, episodeOf, type Issue, issueSchema } from './issue';

/** A resolved issue is kept for this time, and longer if it returns. */
const keptSeconds = 90 * 86_400;

const iso = (ms: number): string => new Date(ms).toISOString();

interface Change {
  readonly set: Readonly<Record<string, unknown>>;
  readonly remove?: readonly string[];
  /** A further `SET` of an attribute to the value of another one. */
  readonly copy?: { readonly from: keyof Issue; readonly to: keyof Issue };
  /** Changes the issue only if these attributes have these values. */
  readonly expected?: Partial<Issue>;
}

/** Reads and changes issues. Failures are added by `record-failures.ts`. */
export const createIssueStore = (client: DynamoDBDocumentClient, tableName: string) => {
  /** @returns whether the issue was changed: it exists, and is as expected */
  const change = async (id: string, { set, remove = [], copy, expected = {} }: Change): Promise<boolean> => {
    const { expression, names, values } = updateOf(set, remove);
    const conditions = Object.entries(expected).map(([field, value]) =>
      value === undefined ? `attribute_not_exists(${field})` : `${field} = :was_${field}`,
    );
    const expectedValues = Object.entries(expected).filter(([, value]) => value !== undefined);
    try {
      await client.send(
        new UpdateCommand({
          TableName: tableName,
          Key: operationKey('ISSUE', id),
          UpdateExpression: copy ? expression.replace('SET ', 'SET #to = #from, ') : expression,
          ConditionExpression: ['attribute_exists(id)', ...conditions].join(' AND '),
          ExpressionAttributeNames: { ...names, ...(copy && { '#from': copy.from, '#to': copy.to }) },
          ExpressionAttributeValues: {
            ...values,
            ...Object.fromEntries(expectedValues.map(([field, value]) => [`:was_${field}`, value])),
          },
        }),
      );
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  };

  return {
    /** All issues, ordered by id, and the ids of those that this version cannot read. */
    list: async (nowMs: number): Promise<{ readonly issues: readonly Issue[]; readonly unreadable: number }> => {
      const issues: Issue[] = [];
      let unreadable = 0;
      for await (const item of listOperations(client, tableName, 'ISSUE', nowMs)) {
        const issue = issueSchema.safeParse(item).data;
        if (issue) issues.push(issue);
        else unreadable += 1;
      }
      return { issues, unreadable };
    },

    get: async (id: string): Promise<Issue | undefined> => {
      const { Item } = await client.send(
        new GetCommand({ TableName: tableName, Key: operationKey('ISSUE', id), ConsistentRead: true }),
      );
      return Item && issueSchema.parse(Item);
    },

    acknowledge: (id: string, untilMs: number): Promise<boolean> =>
      change(id, { set: { acknowledged_until: iso(untilMs) } }),

    /**
     * Resolves an issue.
     *
     * @param unless not if a failure was added after this issue was read
     */
    resolve: (id: string, by: Issue['resolved_by'], atMs: number, unless?: Issue): Promise<boolean> =>
      change(id, {
        set: { resolved_at: iso(atMs), resolved_by: by, expires_at: Math.floor(atMs / 1_000) + keptSeconds },
        remove: ['acknowledged_until'],
        copy: { from: 'count', to: 'resolved_count' },
        ...(unless && { expected: { last_seen: unless.last_seen, resolved_at: unless.resolved_at } }),
      }),

    /** Records that a notification about the issue's present state was sent. */
    recordNotice: (issue: Issue): Promise<boolean> =>
      change(issue.id, { set: { notified: episodeOf(issue), notified_count: episodeCountOf(issue) } }),
  };
};

export type IssueStore = ReturnType<typeof createIssueStore>;
