import { getRouteApi } from '@tanstack/react-router';
import type { InferResponseType } from 'hono/client';
import { api, load } from '../../api';
import { Badge } from '../../components/badge';
import { Command } from '../../components/command';
import { CopyId } from '../../components/copy';
import { ChoiceFilter, TextFilter } from '../../components/filters';
import { Page } from '../../components/page';
import { Empty, Loaded } from '../../components/states';
import { type Column, Table } from '../../components/table';
import { Time } from '../../components/time';
import { useLive } from '../../live';
import { useSession } from '../../session';

const route = getRouteApi('/actions');

const periods = [
  ['24h', 'Last 24 hours'],
  ['7d', 'Last 7 days'],
  ['30d', 'Last 30 days'],
  ['90d', 'Last 90 days'],
] as const;

type Action = InferResponseType<typeof api.actions.$get>['actions'][number];

const columns: readonly Column<Action>[] = [
  { title: 'When', width: '9rem', cell: ({ at }) => <Time at={at} /> },
  { title: 'What', width: '9rem', cell: ({ verb }) => <code>{verb}</code> },
  { title: 'Of', cell: ({ ids, count }) => <Subject ids={ids} count={count} /> },
  { title: 'Why', cell: ({ reason }) => reason },
  { title: 'Who', width: '11rem', cell: ({ by }) => <span title={by}>{by.replace(/^.*[/:]/, '')}</span> },
  { title: 'Outcome', width: '12rem', cell: ({ outcome }) => <Outcome outcome={outcome} /> },
];

const Subject = ({ ids: [first], count }: Pick<Action, 'ids' | 'count'>) => (
  <>
    {first !== undefined && <CopyId value={first} />}
    {first === undefined ? count : count > 1 && ` and ${count - 1} more`}
  </>
);

const Outcome = ({ outcome }: Pick<Action, 'outcome'>) => {
  const [state = '', ...explanation] = outcome.split(': ');
  const tone = state === 'done' ? 'good' : state === 'interrupted' ? 'warning' : 'bad';
  return (
    <>
      <Badge tone={tone}>{state}</Badge> {explanation.join(': ')}
    </>
  );
};

/** Who changed what, when and why. */
export const ActionsScreen = () => {
  const { since, verb, by } = route.useSearch();
  const navigate = route.useNavigate();
  const { local } = useSession();
  const request = { query: { since, ...(verb && { verb }), ...(by && { by }) } };
  const query = useLive({
    url: api.actions.$url(request),
    read: () => load(api.actions.$get(request)),
    // On AWS, it is a query of the logs, which costs money.
    isLive: local,
  });
  const command = ['actions', `--since ${since}`, verb && `--verb '${verb}'`, by && `--by '${by}'`];
  return (
    <Page
      title="Actions"
      summary="Every change by an operator, with its reason."
      actions={<Command args={command.filter(Boolean).join(' ')} />}
    >
      <div className="filters">
        <ChoiceFilter
          label="Period"
          choices={periods}
          value={since}
          onChange={(value) => void navigate({ search: (old) => ({ ...old, since: value }), replace: true })}
        />
        <TextFilter
          label="Command, such as orders"
          value={verb}
          onChange={(value) => void navigate({ search: (old) => ({ ...old, verb: value }), replace: true })}
        />
        <TextFilter
          label="Who"
          value={by}
          onChange={(value) => void navigate({ search: (old) => ({ ...old, by: value }), replace: true })}
        />
      </div>
      <Loaded query={query}>
        {({ actions }) =>
          actions.length === 0 ? (
            <Empty title="No action was recorded">Choose a longer period, or fewer filters.</Empty>
          ) : (
            <div className="panel">
              <Table label="Actions" columns={columns} rows={actions} keyOf={({ at, verb: of }) => `${at} ${of}`} />
            </div>
          )
        }
      </Loaded>
    </Page>
  );
};
