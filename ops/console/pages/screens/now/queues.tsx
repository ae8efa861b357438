import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { formatDuration } from '../../../../format';
import { Badge } from '../../components/badge';
import { Section } from '../../components/page';
import { SmallTable } from '../../components/small-table';
import { Since, Time } from '../../components/time';
import { isMissing, knownPart, type StatusDocument } from './status';

type Circuit = Exclude<StatusDocument['circuits'], { readonly missing: string }>[number];

interface QueueTableProps {
  readonly status: StatusDocument;
  /** A link next to the title. */
  readonly aside?: ReactNode;
}

/** The queues of both workers, with their circuits. */
export const QueueTable = ({ status: { queues, activity, circuits, drains, waiting }, aside }: QueueTableProps) => {
  const rates = knownPart(activity)?.per_minute;
  const rows = knownPart(queues);
  const drainText = (queue: string): string => {
    const seconds = drains.find((drain) => drain.queue === queue)?.seconds ?? null;
    if (seconds === null) return 'not draining';
    return seconds === 0 ? '–' : formatDuration(seconds);
  };
  const oldestOf = (queue: string): string | undefined =>
    knownPart(waiting)
      ?.groups.filter(({ worker }) => worker === queue)
      .map(({ oldest_notified_at }) => oldest_notified_at)
      .sort()[0];
  return (
    <Section title="Queues" aside={aside}>
      {rows === undefined ? (
        <p className="missing">{isMissing(queues) && queues.missing}</p>
      ) : (
        <SmallTable
          label="Queues"
          rows={rows}
          keyOf={({ queue }) => queue}
          columns={[
            { title: 'Queue', cell: ({ queue }) => queue },
            {
              title: 'Circuit',
              cell: ({ queue }) => (
                <CircuitState circuit={knownPart(circuits)?.find(({ worker }) => worker === queue)} />
              ),
            },
            { title: 'Waiting', cell: ({ waiting }) => waiting, isNumber: true },
            { title: 'In flight', cell: ({ in_flight }) => in_flight, isNumber: true },
            { title: 'Delayed', cell: ({ delayed }) => delayed, isNumber: true },
            { title: 'Oldest', cell: ({ queue }) => <Oldest at={oldestOf(queue)} />, isNumber: true },
            {
              title: 'Rate',
              cell: ({ queue }) => (rates ? `${Math.round(rates[queue] * 10) / 10}/min` : '?'),
              isNumber: true,
            },
            { title: 'Drains in', cell: ({ queue }) => drainText(queue), isNumber: true },
            {
              title: 'Dead letters',
              cell: ({ dead_letters }) => (dead_letters === 0 ? 0 : <Badge tone="bad">{dead_letters}</Badge>),
              isNumber: true,
            },
          ]}
        />
      )}
    </Section>
  );
};

const Oldest = ({ at }: { readonly at: string | undefined }) => (at === undefined ? '–' : <Since at={at} />);

const CircuitState = ({ circuit }: { readonly circuit: Circuit | undefined }) => {
  if (circuit === undefined) return 'unknown';
  if (circuit.open_since === null) return <Badge tone="good">closed</Badge>;
  return (
    <Badge tone="bad">
      open for <Since at={circuit.open_since} />
    </Badge>
  );
};

/** Open orders by what they wait for. */
export const WaitingTable = ({ waiting }: Pick<StatusDocument, 'waiting'>) => {
  const known = knownPart(waiting);
  return (
    <Section title="Open orders" aside={<Link to="/orders">All orders →</Link>}>
      {known === undefined ? (
        <p className="missing">{isMissing(waiting) && waiting.missing}</p>
      ) : known.groups.length === 0 ? (
        <p className="quiet-text">No order waits.</p>
      ) : (
        <SmallTable
          label="Open orders by what they wait for"
          rows={known.groups}
          keyOf={({ worker, error_code, held_by_circuit }) => `${worker} ${error_code} ${held_by_circuit}`}
          columns={[
            { title: 'Worker', cell: ({ worker }) => worker },
            { title: 'Waits for', cell: ({ error_code, held_by_circuit }) => reasonOf(error_code, held_by_circuit) },
            { title: 'Orders', cell: ({ orders }) => orders, isNumber: true },
            { title: 'Oldest', cell: ({ oldest_notified_at }) => <Since at={oldest_notified_at} /> },
            {
              title: 'Next attempt',
              cell: ({ next_attempt_at }) => (next_attempt_at === null ? '–' : <Time at={next_attempt_at} />),
            },
            {
              title: 'Sample',
              cell: ({ sample }) => (
                <Link to="/orders/$id" params={{ id: sample }}>
                  {sample}
                </Link>
              ),
            },
          ]}
        />
      )}
    </Section>
  );
};

const reasonOf = (code: string | null, isHeldByCircuit: boolean): string => {
  if (code === null) return 'first attempt';
  if (code === 'CIRCUIT_OPEN') return 'open circuit, not tried yet';
  return isHeldByCircuit ? `open circuit, ${code}` : code;
};
