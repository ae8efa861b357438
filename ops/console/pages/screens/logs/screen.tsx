import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import type { InferResponseType } from 'hono/client';
import { useMemo, useState } from 'react';
import { plural } from '../../../../format';
import { api, load } from '../../api';
import { Command } from '../../components/command';
import { ChoiceFilter } from '../../components/filters';
import { Page } from '../../components/page';
import { Empty, Loaded } from '../../components/states';
import { useSession } from '../../session';
import { QueryEditor } from './editor';
import { Histogram } from './histogram';
import { insightsLanguage } from './language';
import { LogRows } from './rows';
import { SavedQueries } from './saved-queries';

const route = getRouteApi('/logs');

const periods = [
  ['1h', 'Last hour'],
  ['3h', 'Last 3 hours'],
  ['24h', 'Last 24 hours'],
  ['7d', 'Last 7 days'],
  ['30d', 'Last 30 days'],
] as const;

const firstQuery = `fields @timestamp, level, service, message, order_id, error_code
| filter level in ["WARN", "ERROR"]
| sort @timestamp desc`;

type Saved = InferResponseType<typeof api.logs.saved.$get>;
type Found = InferResponseType<typeof api.logs.search.$get>;

const megabytes = (bytes: number): string => `${(bytes / 1e6).toLocaleString('en', { maximumFractionDigits: 1 })} MB`;
const inShell = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** Searches the logs. */
export const LogsScreen = () => {
  const query = useQuery({ queryKey: ['saved-queries'], queryFn: () => load(api.logs.saved.$get()) });
  const { q = firstQuery, since } = route.useSearch();
  return (
    <Page
      title="Logs"
      summary="The log lines of all Lambdas, and the access log of the API."
      actions={<Command args={`logs ${inShell(q)} --since ${since}`} />}
    >
      <Loaded query={query}>{(saved) => <Search saved={saved} />}</Loaded>
    </Page>
  );
};

const Search = ({ saved: { queries, vocabulary } }: { readonly saved: Saved }) => {
  const { q, since } = route.useSearch();
  const { local } = useSession();
  const navigate = route.useNavigate();
  const [text, setText] = useState(q ?? firstQuery);
  // On AWS, a query costs money: it runs when it is asked for, not when a link is opened.
  const [asked, setAsked] = useState(local && q?.trim() ? q : undefined);
  const language = useMemo(() => insightsLanguage(vocabulary), [vocabulary]);
  const cost = useQuery({
    queryKey: ['log-cost', since],
    queryFn: () => load(api.logs.cost.$get({ query: { since } })),
    enabled: !local,
  });
  const found = useQuery({
    queryKey: ['logs', asked, since],
    queryFn: () => load(api.logs.search.$get({ query: { query: asked ?? '', since } })),
    enabled: asked !== undefined,
    staleTime: Number.POSITIVE_INFINITY,
  });
  const run = (): void => {
    void navigate({ search: (old) => ({ ...old, q: text }), replace: true });
    if (asked === text) void found.refetch();
    else setAsked(text);
  };
  return (
    <>
      <SavedQueries saved={queries} query={text} onChoose={setText} />
      <QueryEditor query={text} language={language} onChange={setText} onRun={run} />
      <div className="filters">
        <ChoiceFilter
          label="Period"
          choices={periods}
          value={since}
          onChange={(value) => void navigate({ search: (old) => ({ ...old, since: value }), replace: true })}
        />
        <button type="button" className="primary" onClick={run} disabled={text.trim() === '' || found.isFetching}>
          {found.isFetching ? 'Running …' : 'Run'}
        </button>
        <span className="quiet-text">
          {local && 'Free: the logs are on this machine.'}
          {cost.data && `Reads about ${megabytes(cost.data.bytes)}: ${cost.data.usd.toFixed(4)} USD.`}
        </span>
      </div>
      {asked !== undefined && <Loaded query={found}>{(result) => <Result found={result} />}</Loaded>}
    </>
  );
};

const Result = ({ found }: { readonly found: Found }) => {
  const rows = useMemo(() => found.rows.map((row) => new Map(row as [string, string][])), [found.rows]);
  const { since, until, is_cut, lines_read, lines_matched, bytes_read } = found;
  if (rows.length === 0) {
    return (
      <Empty title="Nothing was found">
        {plural(lines_read, 'line')} searched. Choose a longer period, or another query.
      </Empty>
    );
  }
  return (
    <>
      <p className="quiet-text" role="status">
        {is_cut ? `The first ${rows.length.toLocaleString('en')} rows` : plural(rows.length, 'row')}, of{' '}
        {plural(lines_matched, 'matching line')}; {plural(lines_read, 'line')} ({megabytes(bytes_read)}) read.
      </p>
      <Histogram rows={rows} since={since} until={until} />
      <LogRows rows={rows} />
    </>
  );
};
