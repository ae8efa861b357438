import { getRouteApi, Link } from '@tanstack/react-router';
import { formatMs, plural } from '../../../../format';
import { api, load } from '../../api';
import { Command } from '../../components/command';
import { CopyId } from '../../components/copy';
import { Page, Section } from '../../components/page';
import { Loaded } from '../../components/states';
import { Time } from '../../components/time';
import { useLive } from '../../live';
import { useSession } from '../../session';
import { OrderStatus } from '../orders/row';
import { Changes } from './changes';
import { History } from './history';
import { OrderLogs } from './logs';
import type { OrderDocument } from './order';
import { Payload } from './payload';
import { ReplayActions } from './replay';

const route = getRouteApi('/orders/$id');
const tabs = {
  history: 'History',
  payload: 'Payload',
  body: 'Mapped body',
  changes: 'Changes between rounds',
  logs: 'Logs',
  item: 'Item',
} as const;
type Tab = keyof typeof tabs;
const tabNames = Object.keys(tabs) as Tab[];

const commandOf = (id: string, tab: Tab): string => {
  if (tab === 'history') return `orders trace ${id}`;
  if (tab === 'logs') return `logs order ${id}`;
  return tab === 'body' ? `mapping try ${id}` : `orders get ${id}`;
};

/** One order: where it is, and how it got there. */
export const OrderScreen = () => {
  const { id } = route.useParams();
  const { tab = 'history' } = route.useSearch();
  const { local } = useSession();
  const request = { param: { id }, query: {} };
  const query = useLive({
    url: api.orders[':id'].$url(request),
    read: () => load(api.orders[':id'].$get(request)),
    // On AWS, a history is a query of a week of logs, which costs money.
    isLive: local,
  });
  return (
    <Page title="Order" summary={<CopyId value={id} />} actions={<Command args={commandOf(id, tab)} />}>
      <Loaded query={query}>
        {(document) => (
          <>
            <Head document={document} />
            <ReplayActions id={id} />
            <nav className="tabs" aria-label="Parts of the order">
              {tabNames.map((name) => (
                <Link
                  key={name}
                  to="/orders/$id"
                  params={{ id }}
                  search={(old) => ({ ...old, tab: name })}
                  aria-current={name === tab ? 'page' : undefined}
                >
                  {tabs[name]}
                </Link>
              ))}
            </nav>
            <Part id={id} document={document} tab={tab} />
          </>
        )}
      </Loaded>
    </Page>
  );
};

interface PartProps {
  readonly id: string;
  readonly document: OrderDocument;
  readonly tab: Tab;
}

const Part = ({ id, document, tab }: PartProps) => {
  switch (tab) {
    case 'history':
      return <History rounds={document.trace.rounds} />;
    case 'payload':
    case 'body':
      return <Payload document={document} part={tab} />;
    case 'changes':
      return <Changes document={document} />;
    case 'logs':
      return <OrderLogs id={id} />;
    case 'item':
      return (
        <Section title="Item">
          <pre className="document">{JSON.stringify(document.item?.order ?? null, null, 2)}</pre>
        </Section>
      );
  }
};

const Head = ({ document: { item, trace } }: { readonly document: OrderDocument }) => {
  const newest = trace.rounds.at(-1);
  const order = item?.order;
  const tries = item?.tries;
  return (
    <>
      <dl className="run-head">
        <div>
          <dt>Status</dt>
          <dd>
            <OrderStatus status={trace.status} />
          </dd>
        </div>
        <div>
          <dt>Rounds</dt>
          <dd>{trace.rounds.length}</dd>
        </div>
        {newest && (
          <div>
            <dt>Newest round</dt>
            <dd>
              <Time at={newest.started_at} />
              {newest.ended_at !== null &&
                `, took ${formatMs(Date.parse(newest.ended_at) - Date.parse(newest.started_at))}`}
            </dd>
          </div>
        )}
        {newest && newest.request_id !== null && (
          <div>
            <dt>Request</dt>
            <dd>
              <CopyId value={newest.request_id} />
            </dd>
          </div>
        )}
        {item?.payload && (
          <div>
            <dt>Payload</dt>
            <dd>
              <CopyId value={item.payload.key} />
            </dd>
          </div>
        )}
      </dl>
      {order?.status === 'FAILED' && (
        <div className="banner run-error" role="status">
          <strong>
            {order.error.stage} failed: {order.error.code}
          </strong>
          <span>{order.error.message}</span>
          {order.error.issue_id !== undefined && <span>Issue {order.error.issue_id}</span>}
        </div>
      )}
      {tries && (
        <div className="banner" role="status">
          <strong>
            {tries.worker} {tries.held_by_circuit ? 'waits for its circuit to close' : 'has not finished'}
          </strong>
          <span>
            {tries.last_failure === null
              ? 'No attempt has failed.'
              : `${plural(tries.attempts, 'failed call')}${tries.last_receive === null ? '' : `, receive ${tries.last_receive} of 5`}, last error ${tries.last_failure.error_code}.`}
          </span>
          {tries.next_attempt_at !== null && (
            <span>
              Next attempt <Time at={tries.next_attempt_at} />
            </span>
          )}
        </div>
      )}
    </>
  );
};
