import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import type { InferResponseType } from 'hono/client';
import { api, load } from '../../api';
import { Badge } from '../../components/badge';
import { Section } from '../../components/page';
import { SmallTable } from '../../components/small-table';
import { Empty, Loaded } from '../../components/states';
import { type OrderDocument, storedRoundsOf } from './order';

const route = getRouteApi('/orders/$id');
type Change = InferResponseType<(typeof api.orders)[':id']['changes']['$get']>['changes'][number];

const shapeOf = (shape: Change['before']): string =>
  shape === undefined ? '–' : `${shape.type}${shape.length === undefined ? '' : ` (${shape.length})`}`;

/** The fields that changed from each stored payload to the next. */
export const Changes = ({ document }: { readonly document: OrderDocument }) => {
  const rounds = storedRoundsOf(document);
  const pairs = rounds.slice(0, -1).map((to, index) => ({ to, from: rounds[index + 1] ?? to }));
  if (pairs.length === 0) return <Empty title="Nothing to compare">Only one payload is stored, or none.</Empty>;
  return pairs.map(({ from, to }) => <ChangePanel key={to} from={from} to={to} />);
};

const ChangePanel = ({ from, to }: { readonly from: string; readonly to: string }) => {
  const { id } = route.useParams();
  const request = { param: { id }, query: { from, to } };
  const query = useQuery({
    queryKey: ['changes', id, from, to],
    queryFn: () => load(api.orders[':id'].changes.$get(request)),
    staleTime: Number.POSITIVE_INFINITY,
  });
  return (
    <Section title={`From ${from} to ${to}`}>
      <Loaded query={query}>
        {({ changes }) =>
          changes.length === 0 ? (
            <p className="quiet-text">The payloads have the same fields and values.</p>
          ) : (
            <SmallTable
              label={`Changes to ${to}`}
              rows={changes}
              keyOf={({ path }) => path}
              columns={[
                { title: 'Field', cell: ({ path }) => <code>{path}</code> },
                { title: 'Change', cell: ({ change }) => <Badge>{change}</Badge> },
                { title: 'Before', cell: ({ before }) => shapeOf(before) },
                { title: 'After', cell: ({ after }) => shapeOf(after) },
              ]}
            />
          )
        }
      </Loaded>
    </Section>
  );
};
