import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { api, load } from '../../api';
import { Command } from '../../components/command';
import { ChoiceFilter } from '../../components/filters';
import { Page, Section } from '../../components/page';
import { Loaded } from '../../components/states';
import { AlarmList } from './alarms';
import { ChartPanel } from './chart';

const route = getRouteApi('/metrics');

const periods = [
  ['3h', 'Last 3 hours'],
  ['24h', 'Last 24 hours'],
  ['7d', 'Last 7 days'],
  ['30d', 'Last 30 days'],
] as const;

/** The figures of the dashboard as charts, and the alarms. */
export const MetricsScreen = () => {
  const { period, alarm } = route.useSearch();
  const navigate = route.useNavigate();
  const query = useQuery({
    queryKey: ['charts', period],
    queryFn: () => load(api.metrics.charts.$get({ query: { period } })),
  });
  return (
    <Page
      title="Metrics and alarms"
      actions={
        <>
          <ChoiceFilter
            label="Period"
            choices={periods}
            value={period}
            onChange={(value) => void navigate({ search: (old) => ({ ...old, period: value }), replace: true })}
          />
          <Command args="status" />
        </>
      }
    >
      <Loaded query={query}>
        {({ times, charts }) => (
          <div className="charts">
            {charts.map((chart) => (
              <ChartPanel key={chart.title} times={times} chart={chart} />
            ))}
          </div>
        )}
      </Loaded>
      <Section title="Alarms">
        <AlarmList
          open={alarm}
          onOpen={(name) =>
            void navigate({ search: (old) => ({ ...old, alarm: name === alarm ? undefined : name }), replace: true })
          }
        />
      </Section>
    </Page>
  );
};
