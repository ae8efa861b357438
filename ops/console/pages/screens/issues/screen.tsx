import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import type { InferResponseType } from 'hono/client';
import { api, load } from '../../api';
import { Command } from '../../components/command';
import { Page } from '../../components/page';
import { Sparkline } from '../../components/sparkline';
import { Empty, Loaded } from '../../components/states';
import { type Column, Table } from '../../components/table';
import { Time } from '../../components/time';
import { useLive } from '../../live';
import { IssueDetail } from './detail';
import { IssueCause, IssueState } from './issue';

const route = getRouteApi('/issues');

type Issue = InferResponseType<typeof api.issues.$get>['issues'][number];
type Failures = InferResponseType<typeof api.issues.failures.$get>;

const hours = 24;
const none = new Array<number>(hours).fill(0);

/** @param failures undefined while the logs are searched for them */
const columnsOf = (failures: Failures | undefined): readonly Column<Issue>[] => [
  { title: 'State', width: '9.5rem', cell: (issue) => <IssueState issue={issue} /> },
  { title: 'Cause', cell: (issue) => <IssueCause issue={issue} /> },
  { title: 'Failures', width: '6rem', cell: ({ count }) => count.toLocaleString('en'), isNumber: true },
  {
    title: 'Last 24 hours',
    width: '9rem',
    cell: ({ id }) =>
      failures === undefined ? (
        <span className="sparkline" />
      ) : (
        <Sparkline values={failures[id] ?? none} label={`Failures of issue ${id} per hour, in the last 24 hours`} />
      ),
  },
  { title: 'Last seen', width: '8rem', cell: ({ last_seen }) => <Time at={last_seen} /> },
  { title: 'First seen', width: '8rem', cell: ({ first_seen }) => <Time at={first_seen} />, isWideOnly: true },
];

/** The causes for which orders failed. */
export const IssuesScreen = () => {
  const { all = false, issue: shown } = route.useSearch();
  const navigate = route.useNavigate();
  const query = { all: all ? 'true' : 'false' } as const;
  const issues = useLive({ url: api.issues.$url({ query }), read: () => load(api.issues.$get({ query })) });
  // A query of the logs, and so only after a failure.
  const newestFailure = issues.data?.issues
    .map(({ last_seen }) => last_seen)
    .sort()
    .at(-1);
  const failures = useQuery({
    queryKey: ['issue-failures', newestFailure],
    queryFn: () => load(api.issues.failures.$get()),
    enabled: newestFailure !== undefined,
    placeholderData: keepPreviousData,
  });
  const show = (issue: string | undefined): void => void navigate({ search: (old) => ({ ...old, issue }) });
  return (
    <Page
      title="Issues"
      summary="Failed orders, grouped by cause."
      actions={<Command args={all ? 'issues --all' : 'issues'} />}
    >
      <div className="filters">
        <label>
          <input
            type="checkbox"
            checked={all}
            onChange={({ target }) =>
              void navigate({ search: (old) => ({ ...old, all: target.checked || undefined }), replace: true })
            }
          />
          Also resolved ones
        </label>
      </div>
      {shown !== undefined && <IssueDetail key={shown} id={shown} onClose={() => show(undefined)} />}
      <Loaded query={issues}>
        {({ issues: rows }) =>
          rows.length === 0 ? (
            <Empty title={all ? 'No issue in the last 90 days' : 'No open issue'}>
              No order waits for an operator.
            </Empty>
          ) : (
            <div className="panel">
              <Table
                label="Issues"
                columns={columnsOf(failures.data)}
                rows={rows}
                keyOf={({ id }) => id}
                onOpen={({ id }) => show(id)}
              />
            </div>
          )
        }
      </Loaded>
    </Page>
  );
};
