import { getRouteApi, Link } from '@tanstack/react-router';
import { useState } from 'react';
import { plural } from '../../../../format';
import { api, load } from '../../api';
import { Command } from '../../components/command';
import { ChoiceFilter } from '../../components/filters';
import { Page } from '../../components/page';
import { Empty, Loaded } from '../../components/states';
import { type Column, Table } from '../../components/table';
import { Time } from '../../components/time';
import { useLive } from '../../live';
import { useSession } from '../../session';
import { BulkReplay } from './bulk-replay';
import { type OrderRow, OrderStatus, waitingFor } from './row';

const route = getRouteApi('/orders');

const tabs = { failed: 'Failed', open: 'Open', warnings: 'Warnings', recent: 'Recent' } as const;
type Tab = keyof typeof tabs;
const tabNames: readonly Tab[] = ['failed', 'open', 'warnings', 'recent'];
const periods = [
  ['1h', 'Last hour'],
  ['24h', 'Last 24 hours'],
  ['7d', 'Last 7 days'],
  ['30d', 'Last 30 days'],
] as const;
const commands: Readonly<Record<Tab, string>> = {
  failed: 'orders list',
  open: 'orders list --open',
  warnings: 'orders list --warnings',
  recent: 'orders list',
};
const emptyTitles: Readonly<Record<Tab, string>> = {
  failed: 'No order has failed',
  open: 'No order waits',
  warnings: 'No order has warnings',
  recent: 'No order',
};

const id: Column<OrderRow> = {
  title: 'Order',
  width: '13rem',
  cell: ({ order_id }) => (
    <Link to="/orders/$id" params={{ id: order_id }}>
      {order_id}
    </Link>
  ),
};
const status: Column<OrderRow> = {
  title: 'Status',
  width: '8.5rem',
  cell: (row) => <OrderStatus status={row.status} />,
};
const at = (title: string): Column<OrderRow> => ({ title, width: '7rem', cell: (row) => <Time at={row.at} /> });
const worker: Column<OrderRow> = { title: 'Worker', width: '7rem', isWideOnly: true, cell: (row) => row.worker ?? '–' };
const code = (title: string): Column<OrderRow> => ({
  title,
  width: '13rem',
  cell: (row) => (row.code === null ? '–' : <code>{row.code}</code>),
});
const detail = (title: string): Column<OrderRow> => ({
  title,
  isWideOnly: true,
  cell: (row) => <span title={row.detail ?? undefined}>{row.detail ?? '–'}</span>,
});

const columns: Readonly<Record<Tab | 'found', readonly Column<OrderRow>[]>> = {
  failed: [id, at('Failed'), worker, code('Error'), detail('Message')],
  open: [
    ...[id, status, at('Notified')],
    { title: 'Waits for', cell: waitingFor },
    {
      title: 'Attempt',
      width: '6rem',
      isWideOnly: true,
      cell: ({ receive }) => (receive === null ? 'first' : `${receive} of 5`),
    },
    {
      title: 'Next attempt',
      width: '8rem',
      cell: ({ next_attempt_at: next }) => (next === null ? '–' : <Time at={next} />),
    },
  ],
  warnings: [id, at('Processed'), code('Warning'), detail('Field')],
  recent: [id, status, at('When'), code('Code'), detail('Detail')],
  found: [id, status, at('When'), code('Code'), detail('Detail')],
};

/** Orders by what is the matter with them, or found by an ID. */
export const OrdersScreen = () => {
  const { q = '', tab = 'failed', since = '24h' } = route.useSearch();
  const navigate = route.useNavigate();
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [isPlanning, setPlanning] = useState(false);
  const request = { query: { tab, q, since: q === '' ? since : '7d' } };
  const { local } = useSession();
  const query = useLive({
    url: api.orders.$url(request),
    read: () => load(api.orders.$get(request)),
    // The other lists are queries of the logs, which cost money on AWS.
    isLive: local || (tab === 'failed' && q === ''),
  });
  const kind = q === '' ? tab : 'found';
  return (
    <Page
      title="Orders"
      summary={q === '' ? undefined : `Found by “${q}”`}
      actions={<Command args={q === '' ? `${commands[tab]} --since ${since}` : `orders get ${q}`} />}
    >
      {q === '' ? (
        <>
          <nav className="tabs" aria-label="Orders">
            {tabNames.map((name) => (
              <Link
                key={name}
                to="/orders"
                search={{ tab: name, since }}
                aria-current={name === tab ? 'page' : undefined}
              >
                {tabs[name]}
              </Link>
            ))}
          </nav>
          <div className="filters">
            <ChoiceFilter
              label="Since"
              choices={periods}
              value={since}
              onChange={(chosen) => void navigate({ search: (old) => ({ ...old, since: chosen }) })}
            />
            {query.data && <span className="quiet-text">{plural(query.data.orders.length, 'order')}</span>}
            {selected.size > 0 && (
              <>
                <button type="button" className="primary" onClick={() => setPlanning(true)}>
                  Replay {plural(selected.size, 'order')} …
                </button>
                <button type="button" onClick={() => void navigator.clipboard.writeText([...selected].join('\n'))}>
                  Copy the IDs
                </button>
              </>
            )}
          </div>
        </>
      ) : (
        <p>
          <Link to="/orders">All orders</Link>
        </p>
      )}
      <Loaded query={query}>
        {({ orders }) =>
          orders.length === 0 ? (
            <Empty title={q === '' ? `${emptyTitles[tab]} in this period` : 'No order has this ID'}>
              {q !== '' && 'Request IDs are found in the logs of the last 7 days.'}
            </Empty>
          ) : (
            <Table
              key={kind}
              label="Orders"
              columns={columns[kind]}
              rows={orders}
              keyOf={({ order_id }) => order_id}
              onOpen={({ order_id }) => void navigate({ to: '/orders/$id', params: { id: order_id } })}
              {...(q === '' && { selection: { keys: selected, onChange: setSelected } })}
            />
          )
        }
      </Loaded>
      {isPlanning && (
        <BulkReplay
          ids={[...selected]}
          onClose={() => {
            setPlanning(false);
            setSelected(new Set());
          }}
        />
      )}
    </Page>
  );
};
