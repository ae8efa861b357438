import { getRouteApi } from '@tanstack/react-router';
import { api, load } from '../../api';
import { Command } from '../../components/command';
import { ChoiceFilter } from '../../components/filters';
import { Page, Section } from '../../components/page';
import { SmallTable } from '../../components/small-table';
import { Sparkline } from '../../components/sparkline';
import { Loaded } from '../../components/states';
import { Time } from '../../components/time';
import { useLive } from '../../live';
import { useSession } from '../../session';
import { RefusedBodies } from './refused-bodies';
import { SendSample } from './send-sample';

const route = getRouteApi('/webhooks');

const periods = [
  ['3h', 'Last 3 hours'],
  ['24h', 'Last 24 hours'],
  ['7d', 'Last 7 days'],
] as const;

const outcomes = [
  ['queued', 'Accepted', 'start a round'],
  ['duplicate', 'Duplicate', 'accepted before'],
  ['stale', 'Stale', 'older than what is known'],
  ['refused', 'Refused', 'by the webhook'],
] as const;

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** What the webhook made of its calls. */
export const WebhooksScreen = () => {
  const { period } = route.useSearch();
  const navigate = route.useNavigate();
  const { local } = useSession();
  const query = { period };
  const { activity } = api.webhooks;
  const calls = useLive({ url: activity.$url({ query }), read: () => load(activity.$get({ query })) });
  const refused = useLive({
    url: api.webhooks.refused.$url(),
    read: () => load(api.webhooks.refused.$get()),
    // Every refresh reads all bodies that are shown.
    isLive: local,
  });
  return (
    <Page
      title="Webhooks"
      summary="What Qualia has sent, and what became of it."
      actions={
        <>
          <ChoiceFilter
            label="Period"
            choices={periods}
            value={period}
            onChange={(value) => void navigate({ search: { period: value }, replace: true })}
          />
          <Command args={`logs "refused webhooks" --since ${period}`} />
        </>
      }
    >
      <Loaded query={calls}>
        {({ bins, refusals }) => (
          <>
            <section className="tiles" aria-label="Calls by outcome">
              {outcomes.map(([name, title, note]) => (
                <div key={name} className="tile" data-bad={name === 'refused' && sum(bins[name]) > 0}>
                  <h2 className="tile-title">{title}</h2>
                  <p className="tile-value">{sum(bins[name]).toLocaleString('en')}</p>
                  <Sparkline values={bins[name]} label={`${title} over time`} />
                  <p className="tile-note">{note}</p>
                </div>
              ))}
            </section>
            <Section title="Refused by reason and source">
              {refusals.length === 0 ? (
                <p className="quiet-text">No call was refused.</p>
              ) : (
                <SmallTable
                  label="Refused calls"
                  rows={refusals}
                  keyOf={({ reason, source_ip }) => `${reason} ${source_ip}`}
                  columns={[
                    { title: 'Reason', cell: ({ reason }) => <code>{reason}</code> },
                    { title: 'Source', cell: ({ source_ip }) => source_ip },
                    { title: 'Calls', cell: ({ calls: count }) => count.toLocaleString('en'), isNumber: true },
                    { title: 'Last', cell: ({ last }) => <Time at={last} /> },
                  ]}
                />
              )}
            </Section>
          </>
        )}
      </Loaded>
      <Loaded query={refused}>{({ total, bodies }) => <RefusedBodies total={total} bodies={bodies} />}</Loaded>
      <SendSample />
    </Page>
  );
};
