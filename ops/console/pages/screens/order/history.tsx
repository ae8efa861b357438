import { formatDuration, formatMs } from '../../../../format';
import { Badge } from '../../components/badge';
import { CopyId } from '../../components/copy';
import { Section } from '../../components/page';
import { Empty } from '../../components/states';
import { Time } from '../../components/time';
import { OrderStatus } from '../orders/row';
import type { Round, RoundEvent } from './order';

const waits: Readonly<Record<string, string>> = {
  queue: 'in the queue',
  'back-off': 'for the next attempt',
  circuit: 'for the circuit to close',
  operator: 'for a redrive',
};

/** The rounds of an order, the newest first, with a band for each. */
export const History = ({ rounds }: { readonly rounds: readonly Round[] }) =>
  rounds
    .map((round, index) => (
      <RoundPanel key={`${round.round} ${round.request_id} ${round.started_at}`} round={round} number={index + 1} />
    ))
    .reverse();

const RoundPanel = ({ round, number }: { readonly round: Round; readonly number: number }) => {
  const { started_by, started_at, ended_at, end, events, request_id } = round;
  const tookMs = ended_at === null ? undefined : Date.parse(ended_at) - Date.parse(started_at);
  return (
    <Section
      title={`Round ${number}, by ${started_by === 'unannounced' ? 'a replay or a routine check' : started_by}`}
      aside={
        <>
          <OrderStatus status={end} /> {tookMs !== undefined && tookMs > 0 && `after ${formatMs(tookMs)}`}
        </>
      }
    >
      <p className="round-ids">
        <Time at={started_at} /> {request_id !== null && <CopyId value={request_id} />}
      </p>
      {events.length === 0 ? (
        <Empty title="No log lines">They are older than the period that was searched.</Empty>
      ) : (
        <>
          <Band events={events} />
          <ol className="events">
            {events.map((event) => (
              <li key={`${event.kind} ${event.at} ${keyOf(event)}`} data-kind={event.kind}>
                <Event event={event} />
              </li>
            ))}
          </ol>
        </>
      )}
    </Section>
  );
};

const keyOf = (event: RoundEvent): string => {
  if (event.kind === 'attempt') return `${event.worker} ${event.number} ${event.result}`;
  return event.kind === 'waiting' ? event.why : event.outcome;
};

const millisecondsOf = (event: RoundEvent): number =>
  event.kind === 'waiting' ? event.seconds * 1_000 : (event.duration_ms ?? 0);

/** The time of a round: work and waiting in proportion. */
const Band = ({ events }: { readonly events: readonly RoundEvent[] }) => (
  <div className="band" aria-hidden="true">
    {events
      .filter((event) => millisecondsOf(event) > 0)
      .map((event) => (
        <span
          key={`${event.kind} ${event.at} ${keyOf(event)}`}
          title={`${event.kind === 'attempt' ? event.worker : keyOf(event)}: ${formatMs(millisecondsOf(event))}`}
          data-kind={event.kind}
          data-result={event.kind === 'attempt' ? event.result : undefined}
          style={{ flexGrow: millisecondsOf(event) }}
        />
      ))}
  </div>
);

const Event = ({ event }: { readonly event: RoundEvent }) => {
  switch (event.kind) {
    case 'waiting':
      return (
        <>
          <span />
          <span>
            waits {formatDuration(event.seconds)} {waits[event.why]}
          </span>
        </>
      );
    case 'notification':
      return (
        <>
          <Time at={event.at} />
          <span>
            <strong>{event.service}</strong> {event.outcome}
          </span>
          <span>{event.duration_ms === null ? '' : formatMs(event.duration_ms)}</span>
        </>
      );
    case 'attempt':
      return <Attempt event={event} />;
  }
};

const Attempt = ({ event }: { readonly event: Extract<RoundEvent, { readonly kind: 'attempt' }> }) => {
  const { at, worker, number, result, outcome, error_code, status_code, error, receive, times, duration_ms } = event;
  const isFault = result === 'failed' || result === 'retry';
  return (
    <>
      <Time at={at} />
      <span>
        <strong>{worker}</strong> {number !== null && `attempt ${number}`}{' '}
        {isFault ? (
          <Badge tone={result === 'failed' ? 'bad' : 'warning'}>
            {error_code ?? result} {status_code}
          </Badge>
        ) : result === 'held' ? (
          `circuit open${times > 1 ? `, ${times} times` : ''}`
        ) : (
          (outcome ?? result)
        )}
        {receive !== null && receive > 1 && ` · receive ${receive} of 5`}
        {isFault && error !== null && <span className="event-error">{error}</span>}
      </span>
      <span>{duration_ms === null ? '' : formatMs(duration_ms)}</span>
    </>
  );
};
