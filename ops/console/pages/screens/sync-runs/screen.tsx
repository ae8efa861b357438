import { getRouteApi, Link } from '@tanstack/react-router';
import type { InferResponseType } from 'hono/client';
import { formatDuration } from '../../../../format';
import { api, load } from '../../api';
import { Badge } from '../../components/badge';
import { Command } from '../../components/command';
import { ChoiceFilter } from '../../components/filters';
import { Page } from '../../components/page';
import { Empty, Loaded } from '../../components/states';
import { type Column, Table } from '../../components/table';
import { Since, Time } from '../../components/time';
import { useLive } from '../../live';
import { StartPanel } from './start';
import { RunStatusBadge } from './status';

type ListedRun = InferResponseType<(typeof api)['sync-runs']['$get']>['runs'][number];

const route = getRouteApi('/sync-runs');
/** Number of runs that are shown at first, and with each "Show more". */
const pageSize = 30;
const maxShown = 500;
const jobs = [
  ['', 'All jobs'],
  ['netlife', 'Netlife'],
  ['iterable', 'Iterable'],
] as const;

/** A duration is remarkable if it is this many times the usual one. */
const slowFactor = 1.5;

const Duration = ({ run: { seconds, usual_seconds: usual, started_at } }: { readonly run: ListedRun }) => {
  if (seconds === null) return <Since at={started_at} />;
  const text = formatDuration(seconds);
  if (usual === null) return text;
  const isSlow = seconds > slowFactor * usual;
  return (
    <span title={`The median is ${formatDuration(usual)}`}>
      {isSlow ? <Badge tone="warning">{text}</Badge> : text}{' '}
      <span className="quiet-text">median {formatDuration(usual)}</span>
    </span>
  );
};

const count = (value: number | undefined): string => (value === undefined ? '–' : value.toLocaleString('en'));

const columns: readonly Column<ListedRun>[] = [
  {
    title: 'Run',
    cell: ({ run_id: id, is_dry_run }) => (
      <>
        <Link to="/sync-runs/$id" params={{ id }}>
          {id}
        </Link>{' '}
        {is_dry_run && <Badge>dry run</Badge>}
      </>
    ),
  },
  { title: 'Status', width: '8rem', cell: ({ status }) => <RunStatusBadge status={status} /> },
  { title: 'Started', width: '6rem', cell: ({ started_at }) => <Time at={started_at} /> },
  { title: 'Jobs', width: '8rem', isWideOnly: true, cell: ({ jobs: own }) => own.join(', ') || '–' },
  { title: 'Trigger', width: '5.5rem', isWideOnly: true, cell: ({ trigger }) => trigger },
  { title: 'Read', width: '4.5rem', isNumber: true, isWideOnly: true, cell: ({ totals }) => count(totals?.read) },
  { title: 'Sent', width: '4.5rem', isNumber: true, isWideOnly: true, cell: ({ totals }) => count(totals?.sent) },
  {
    title: 'Failed',
    width: '4.5rem',
    isNumber: true,
    isWideOnly: true,
    cell: ({ totals }) =>
      totals && totals.failed > 0 ? <Badge tone="bad">{count(totals.failed)}</Badge> : count(totals?.failed),
  },
  { title: 'Rejected', width: '5rem', isNumber: true, isWideOnly: true, cell: ({ totals }) => count(totals?.rejected) },
  { title: 'Took', width: '9rem', isNumber: true, cell: (run) => <Duration run={run} /> },
];

/** The runs of the sync jobs, the newest first, and the form that starts one. */
export const SyncRunsScreen = () => {
  const { start = false, job = '', limit = pageSize } = route.useSearch();
  const navigate = route.useNavigate();
  const request = { query: { limit: `${limit}` } };
  const query = useLive({
    url: api['sync-runs'].$url(request),
    read: () => load(api['sync-runs'].$get(request)),
  });
  return (
    <Page
      title="Sync runs"
      summary={query.data && `The newest ${query.data.runs.length} of ${query.data.total} runs of the last 90 days`}
      actions={
        <>
          <Command args="sync list" />
          {!start && (
            <button
              type="button"
              className="primary"
              onClick={() => void navigate({ search: (old) => ({ ...old, start: true }) })}
            >
              Start a run …
            </button>
          )}
        </>
      }
    >
      {start && <StartPanel onClose={() => void navigate({ search: (old) => ({ ...old, start: undefined }) })} />}
      <div className="filters">
        <ChoiceFilter
          label="Job"
          choices={jobs}
          value={jobs.find(([name]) => name === job)?.[0] ?? ''}
          onChange={(chosen) => void navigate({ search: (old) => ({ ...old, job: chosen || undefined }) })}
        />
      </div>
      <Loaded query={query}>
        {({ runs: all, total }) => {
          const runs = all.filter((run) => job === '' || run.jobs.includes(job));
          return (
            <>
              {runs.length === 0 ? (
                <Empty title="No run">Start one, or choose other jobs.</Empty>
              ) : (
                <Table
                  label="Sync runs"
                  columns={columns}
                  rows={runs}
                  keyOf={({ run_id }) => run_id}
                  onOpen={({ run_id: id }) => void navigate({ to: '/sync-runs/$id', params: { id } })}
                />
              )}
              {total > all.length && all.length < maxShown && (
                <div className="panel-actions">
                  <button
                    type="button"
                    onClick={() =>
                      void navigate({
                        search: (old) => ({ ...old, limit: Math.min(maxShown, limit + pageSize) }),
                        replace: true,
                      })
                    }
                  >
                    Show more
                  </button>
                </div>
              )}
            </>
          );
        }}
      </Loaded>
    </Page>
  );
};
