import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import type { InferResponseType } from 'hono/client';
import { useState } from 'react';
import { plural } from '../../../../format';
import { api, load } from '../../api';
import { Action } from '../../components/action';
import { Badge } from '../../components/badge';
import { ChoiceFilter } from '../../components/filters';
import { Section } from '../../components/page';
import { Empty, Loaded } from '../../components/states';
import { type OrderDocument, storedRoundsOf } from './order';

const route = getRouteApi('/orders/$id');
type PayloadView = InferResponseType<(typeof api.orders)[':id']['payload']['$get']>;
type Node = PayloadView['structure'][number];

const units: Readonly<Record<string, string>> = { string: 'character', array: 'item', object: 'key' };

interface PayloadProps {
  readonly document: OrderDocument;
  readonly part: 'payload' | 'body';
}

/** A stored payload, or the body that the mapping of this checkout makes of it, without their values. */
export const Payload = ({ document, part }: PayloadProps) => {
  const { id } = route.useParams();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const rounds = storedRoundsOf(document);
  const round = rounds.find((one) => one === search.round) ?? rounds[0];
  const request = { param: { id }, query: { round: round ?? '' } };
  const query = useQuery({
    queryKey: ['payload', id, round],
    queryFn: () => load(api.orders[':id'].payload.$get(request)),
    enabled: round !== undefined,
  });
  if (round === undefined) return <Empty title="No payload is stored">No round of this order was downloaded.</Empty>;
  return (
    <>
      <div className="filters">
        <ChoiceFilter
          label="Round"
          choices={rounds.map((one) => [one, one] as const)}
          value={round}
          onChange={(chosen) => void navigate({ search: (old) => ({ ...old, round: chosen }) })}
        />
      </div>
      <Loaded query={query}>
        {(view) => (
          <Section
            title={part === 'payload' ? 'Payload' : 'Body that would be posted now'}
            aside={part === 'payload' ? plural(view.size_bytes, 'byte') : <MappingState mapping={view.mapping} />}
          >
            <Structure id={id} round={round} part={part} nodes={part === 'payload' ? view.structure : view.body} />
          </Section>
        )}
      </Loaded>
    </>
  );
};

const MappingState = ({ mapping }: Pick<PayloadView, 'mapping'>) => (
  <Badge tone={mapping === 'mapped' ? 'good' : 'bad'}>{mapping.replace('_', ' ')}</Badge>
);

interface StructureProps {
  readonly id: string;
  readonly round: string;
  readonly part: 'payload' | 'body';
  readonly nodes: readonly Node[];
}

const Structure = ({ id, round, part, nodes }: StructureProps) =>
  nodes.length === 0 ? (
    <Empty title={part === 'payload' ? 'It is not JSON' : 'It cannot be mapped'} />
  ) : (
    <ul className="structure">
      {nodes
        .filter(({ path }) => path !== '')
        .map((node) => (
          <li key={node.path}>
            <code style={{ paddingInlineStart: `${(node.depth - 1) * 1.25}rem` }}>{node.name}</code>
            <span className="quiet-text">
              {node.type}
              {node.length !== undefined && `, ${plural(node.length, units[node.type] ?? 'item')}`}
            </span>
            {node.type === 'object' || node.type === 'array' ? (
              <span />
            ) : (
              <Value key={`${round} ${part}`} {...{ id, round, part, path: node.path }} />
            )}
          </li>
        ))}
    </ul>
  );

/** A hidden value. It is revealed for this view only, and the look is recorded. */
const Value = ({ id, round, part, path }: Omit<StructureProps, 'nodes'> & { readonly path: string }) => {
  const [revealed, setRevealed] = useState<{ readonly value: string | number | boolean | null }>();
  if (revealed !== undefined) return <code className="revealed">{JSON.stringify(revealed.value)}</code>;
  return (
    <Action
      label="Reveal"
      tone="quiet"
      isReading
      run={async (change) =>
        setRevealed(
          await load(api.orders[':id'].reveal.$post({ param: { id }, json: { ...change, round, part, path } })),
        )
      }
    />
  );
};
