import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { type Issue, stateOf } from '../../shared/issues/issue';
import { createIssueStore } from '../../shared/issues/issue-store';
import { ServiceFault } from './fault';
import { createOrderService, type FailedOrder } from './orders';
import type { StageConnection } from './stage-connection';

export interface ListedIssues {
  /** The one that was seen last first. */
  readonly issues: readonly Issue[];
  /** Number of issues that do not have the format of this version. */
  readonly unreadable: number;
}

/** The first failure can be written a moment before the first time of its issue. */
const marginMs = 120_000;

/** The issues of a stage: failures grouped by cause. */
export const createIssueService = (stage: StageConnection, now: () => number) => {
  const store = createIssueStore(DynamoDBDocumentClient.from(stage.dynamodb), stage.operationsTableName);

  /** @throws {ServiceFault} `absent` */
  const get = async (id: string): Promise<Issue> => {
    const issue = await store.get(id);
    if (issue === undefined) throw new ServiceFault('absent', `There is no issue ${id} in ${stage.name}.`);
    return issue;
  };

  return {
    get,

    /** @param all whether to include resolved issues */
    list: async (all: boolean): Promise<ListedIssues> => {
      const { issues, unreadable } = await store.list(now());
      return {
        issues: issues
          .filter((issue) => all || stateOf(issue, now()) !== 'resolved')
          .sort((a, b) => b.last_seen.localeCompare(a.last_seen)),
        unreadable,
      };
    },

    /** The orders that are FAILED with the issue's cause, newest first. Reads only the sparse index. */
    ordersOf: async ({ id, first_seen }: Issue): Promise<readonly FailedOrder[]> => {
      const { orders } = await createOrderService(stage).listFailed(new Date(Date.parse(first_seen) - marginMs));
      return orders.filter(({ error }) => error.issue_id === id);
    },

    acknowledge: async (id: string, until: Date): Promise<Issue> => {
      await get(id);
      await store.acknowledge(id, until.getTime());
      return get(id);
    },

    resolve: async (id: string): Promise<Issue> => {
      await get(id);
      await store.resolve(id, 'operator', now());
      return get(id);
    },
  };
};
