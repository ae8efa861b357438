import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { formatBulkCost, formatDuration, plural } from '../../../../format';
import { api, load } from '../../api';
import { Action } from '../../components/action';
import { Command } from '../../components/command';
import { CopyId } from '../../components/copy';
import { Section } from '../../components/page';
import { PlanDialog } from '../../components/plan-dialog';
import { Loaded } from '../../components/states';
import { Time } from '../../components/time';
import { useLive } from '../../live';
import { IssueCause, type IssueDocument, IssueState } from './issue';

const shownOrders = 12;
const periods = ['1h', '4h', '1d', '7d'] as const;
const defaultRate = 10;

interface IssueDetailProps {
  readonly id: string;
  readonly onClose: () => void;
}

/** One issue: what is known about it, the orders that are left in it, and what can be done. */
export const IssueDetail = ({ id, onClose }: IssueDetailProps) => {
  const param = { id };
  const query = useLive({
    url: api.issues[':id'].$url({ param }),
    read: () => load(api.issues[':id'].$get({ param })),
  });
  return (
    <Section
      title={`Issue ${id}`}
      aside={
        <button type="button" className="quiet" onClick={onClose}>
          Close
        </button>
      }
    >
      <Loaded query={query}>
        {({ issue, orders }) => (
          <>
            <Facts issue={issue} />
            <Orders orders={orders.map(({ order_id }) => order_id)} />
            <Actions issue={issue} orders={orders.length} />
          </>
        )}
      </Loaded>
    </Section>
  );
};

const Facts = ({ issue }: { readonly issue: IssueDocument }) => {
  const { id, count, first_seen, last_seen, release, last_release, sample, runbook, acknowledged_until } = issue;
  const facts = [
    ['State', <IssueState key="state" issue={issue} />],
    ['Cause', <IssueCause key="cause" issue={issue} />],
    ['Failures', count.toLocaleString('en')],
    ['First seen', <When key="first" at={first_seen} release={release} />],
    ['Last seen', <When key="last" at={last_seen} release={last_release} />],
    ...(issue.state === 'acknowledged' && acknowledged_until !== null
      ? [['Acknowledged', <Time key="until" at={acknowledged_until} />] as const]
      : []),
    [
      'Sample',
      <Link key="sample" to="/orders/$id" params={{ id: sample }}>
        {sample}
      </Link>,
    ],
    ['Runbook', <code key="runbook">{runbook}</code>],
    ['Issue', <CopyId key="id" value={id} />],
  ] as const;
  return (
    <dl className="facts two-columns">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
};

const When = ({ at, release }: { readonly at: string; readonly release: string }) => (
  <>
    <Time at={at} />, release {release}
  </>
);

const Orders = ({ orders }: { readonly orders: readonly string[] }) => (
  <p className="issue-orders">
    {orders.length === 0 ? 'No order is left in it.' : `${plural(orders.length, 'order')} left:`}{' '}
    {orders.slice(0, shownOrders).map((id) => (
      <Link key={id} to="/orders/$id" params={{ id }}>
        {id}
      </Link>
    ))}
    {orders.length > shownOrders && ` and ${orders.length - shownOrders} more`}
  </p>
);

interface ActionsProps {
  readonly issue: IssueDocument;
  /** Number of orders that are left in it. */
  readonly orders: number;
}

const Actions = ({ issue: { id, state }, orders }: ActionsProps) => {
  const [period, setPeriod] = useState<string>('4h');
  const [isPlanning, setPlanning] = useState(false);
  const param = { id };
  return (
    <div className="panel-actions">
      <button type="button" className="primary" disabled={orders === 0} onClick={() => setPlanning(true)}>
        Replay all …
      </button>
      {state !== 'resolved' && (
        <>
          <Action
            label={`Acknowledge for ${period}`}
            args={`issues ack ${id} --until ${period}`}
            run={(change) => load(api.issues[':id'].acknowledge.$post({ param, json: { ...change, until: period } }))}
          />
          <select aria-label="Acknowledge for" value={period} onChange={({ target }) => setPeriod(target.value)}>
            {periods.map((choice) => (
              <option key={choice}>{choice}</option>
            ))}
          </select>
          <Action
            label="Resolve"
            args={`issues resolve ${id}`}
            run={(change) => load(api.issues[':id'].resolve.$post({ param, json: change }))}
          />
        </>
      )}
      <Command args={`issues get ${id}`} />
      {isPlanning && <ReplayPlan id={id} orders={orders} onClose={() => setPlanning(false)} />}
    </div>
  );
};

interface ReplayPlanProps {
  readonly id: string;
  readonly orders: number;
  readonly onClose: () => void;
}

const ReplayPlan = ({ id, orders, onClose }: ReplayPlanProps) => {
  const [typed, setTyped] = useState(String(defaultRate));
  const rate = /^[1-9]\d?$|^100$/.test(typed) ? Number(typed) : defaultRate;
  return (
    <PlanDialog
      title="Replay all orders of the issue"
      facts={[
        ['Orders', orders],
        ['Rate', `at most ${rate}/s; first 3, then growing waves`],
        ['Takes at least', formatDuration(orders / rate)],
        ['Costs', formatBulkCost(orders)],
        ['Effect', 'Each order is downloaded again, and posted if anything has changed'],
        ['Stops by itself', 'if more than 10 % fail, a circuit opens, or no order ends for 15 minutes'],
      ]}
      command={`issues replay ${id} --rate ${rate}`}
      confirmLabel={`Replay ${plural(orders, 'order')}`}
      run={(change) => load(api.issues[':id'].replay.$post({ param: { id }, json: { ...change, rate } }))}
      onClose={onClose}
    >
      <p className="field">
        <label htmlFor="replay-rate">Orders per second</label>
        <input id="replay-rate" inputMode="numeric" value={typed} onChange={({ target }) => setTyped(target.value)} />
      </p>
    </PlanDialog>
  );
};
