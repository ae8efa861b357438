import type { Trace } from '../services/order-log/order-log';
import type { AttemptEvent, TracedRound, TraceEvent } from '../services/order-log/trace';
import { formatDuration, formatMs, oneLine, plural, type Terminal } from './terminal';

type Colors = Terminal['colors'];

/** Width of the widest line. */
const width = 80;
/** Of a round with more events, the middle is left out; the JSON document has all. */
const maxEvents = 40;

/** `01-31 10:00:00`, UTC. */
const shortTime = (at: Date): string => at.toISOString().slice(5, 19).replace('T', ' ');

const formatWait = (seconds: number): string =>
  seconds < 10 ? `${Math.round(seconds * 10) / 10}s` : formatDuration(seconds);

/**
 * A line of a round: time, service, trigger, what happened, duration. Fills exactly the width.
 *
 * @param ends from the longest to the shortest; the first that fits is shown
 */
const eventLine = (
  time: string,
  service: string,
  trigger: string,
  what: string,
  ...ends: readonly string[]
): string => {
  const start = `  ${time.padEnd(14)}  ${service.padEnd(10)}  ${trigger.padEnd(11)}  `;
  const end = ends.find((one) => start.length + what.length + 1 + one.length <= width) ?? ends.at(-1) ?? '';
  const room = width - start.length - (end === '' ? 0 : end.length + 1);
  return `${start}${what.slice(0, room).padEnd(room)}${end === '' ? '' : ` ${end}`}`.trimEnd();
};

const whatOf = ({ result, outcome, errorCode, statusCode, times }: AttemptEvent): string => {
  switch (result) {
    case 'held':
      return times > 1 ? `circuit open, ${times} times` : 'circuit open';
    case 'superseded':
      return 'superseded by a newer round';
    default:
      return [oneLine(errorCode ?? outcome ?? 'done'), statusCode ?? []].flat().join(' ');
  }
};

const endsOf = ({ result, waitSeconds, durationMs }: AttemptEvent): string[] => {
  const took = durationMs === undefined ? '' : formatMs(durationMs);
  if (waitSeconds === undefined || (result !== 'retry' && result !== 'held')) return [took];
  const wait = formatWait(waitSeconds);
  const next = `next in ${wait}`;
  return took === '' ? [next] : [`${took}, next ${wait}`, next];
};

const waits = {
  queue: 'in the queue',
  'back-off': 'for the next attempt',
  circuit: 'for the circuit to close',
  operator: 'for a redrive',
} as const;

const renderEvent = (event: TraceEvent, colors: Colors): string[] => {
  switch (event.kind) {
    case 'waiting':
      return [colors.dim(eventLine('', '', '', `waits ${formatWait(event.seconds)} ${waits[event.why]}`, ''))];
    case 'notification': {
      const end = event.durationMs === undefined ? '' : formatMs(event.durationMs);
      return [eventLine(shortTime(event.at), event.service, '', event.outcome, end)];
    }
    case 'attempt': {
      const { at, worker, trigger, number, result, error } = event;
      const line = eventLine(
        shortTime(at),
        worker,
        `${number ?? '-'} ${trigger === 'unannounced' ? '' : trigger}`,
        whatOf(event),
        ...endsOf(event),
      );
      if (result !== 'failed') return [result === 'done' ? line : colors.yellow(line)];
      return [colors.red(line), ...(error === undefined ? [] : [colors.red(`    ${oneLine(error)}`.slice(0, width))])];
    }
  }
};

const starters = {
  webhook: 'webhook',
  reconciler: 'reconciler',
  replay: 'replay',
  unannounced: 'replay or routine check',
} as const;

const renderRound = (round: TracedRound, number: number, colors: Colors): string[] => {
  const { startedBy, notificationType, startedAt, endedAt, end, hasPayload, requestId, events } = round;
  const type = notificationType === undefined || notificationType === startedBy ? '' : ` ${oneLine(notificationType)}`;
  const head = ` round ${number}: ${starters[startedBy]}${type}, ${shortTime(startedAt)} UTC `;
  const ids = [`request ${requestId ?? 'unknown'}`, hasPayload ? 'payload stored' : 'no payload'];
  const left = events.length - maxEvents;
  const shown = left > 0 ? [...events.slice(0, maxEvents / 2), ...events.slice(-maxEvents / 2)] : events;
  const lines = shown.map((event) => renderEvent(event, colors));
  if (left > 0) lines.splice(maxEvents / 2, 0, [colors.dim(`  … ${left} more events; --json shows all`)]);
  if (events.length === 0) lines.push([colors.dim('  no log lines in the period that was searched')]);
  const lasted = endedAt && endedAt > startedAt && ` after ${formatMs(endedAt.getTime() - startedAt.getTime())}`;
  const color = end === 'FAILED' ? colors.red : end === 'PROCESSED' ? colors.green : colors.yellow;
  return [
    colors.bold(`━━${head}`.slice(0, width).padEnd(width, '━')),
    colors.dim(`  ${ids.join(' · ')}`.slice(0, width)),
    ...lines.flat(),
    color(`  ${end === 'NOTIFIED' || end === 'DOWNLOADED' ? `${end}, still open` : `${end}${lasted || ''}`}`),
  ];
};

/** Renders the history of an order: one band per round. Fits 80 columns. */
export const renderTrace = ({ orderId, order, rounds, tries }: Trace, { colors, time }: Terminal): string => {
  const next =
    tries === undefined
      ? []
      : [
          tries.nextAttemptAt === undefined
            ? `  waits for ${tries.worker}`
            : `  next attempt of ${tries.worker}: ${time(tries.nextAttemptAt)}`,
        ];
  return [
    `${colors.bold(orderId)}  ${order?.status ?? 'no item'}, ${plural(rounds.length, 'round')}`,
    ...rounds.flatMap((round, index) => ['', ...renderRound(round, index + 1, colors)]),
    ...next,
  ].join('\n');
};

/** The history of an order as a JSON document. */
export const toTraceDocument = ({ orderId, order, rounds }: Trace) => ({
  order_id: orderId,
  status: order?.status ?? null,
  rounds: rounds.map(({ events, ...round }) => ({
    round: round.round ?? null,
    request_id: round.requestId ?? null,
    started_by: round.startedBy,
    notification_type: round.notificationType ?? null,
    started_at: round.startedAt.toISOString(),
    ended_at: round.endedAt?.toISOString() ?? null,
    end: round.end,
    payload_stored: round.hasPayload,
    events: events.map(toEventDocument),
  })),
});

const toEventDocument = (event: TraceEvent) => {
  const at = event.at.toISOString();
  switch (event.kind) {
    case 'waiting':
      return { kind: event.kind, at, seconds: event.seconds, why: event.why };
    case 'notification':
      return {
        kind: event.kind,
        at,
        service: event.service,
        outcome: event.outcome,
        duration_ms: event.durationMs ?? null,
      };
    case 'attempt':
      return {
        kind: event.kind,
        at,
        worker: event.worker,
        trigger: event.trigger,
        number: event.number ?? null,
        result: event.result,
        outcome: event.outcome ?? null,
        times: event.times,
        error_code: event.errorCode ?? null,
        error: event.error ?? null,
        status_code: event.statusCode ?? null,
        receive: event.receive ?? null,
        wait_seconds: event.waitSeconds ?? null,
        duration_ms: event.durationMs ?? null,
      };
  }
};
