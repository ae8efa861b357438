import { type Order, type OrderStatus, type Round, roundSchema, type WorkerName } from '../../../shared/orders/order';
import { roundStartMs } from '../../../shared/orders/round';
import { circuitOpenCode, isRetryLine, type OrderLine, workerOf } from './lines';

/** What started a round. `unannounced`: a replay or a routine check whose lines an earlier release wrote. */
export type RoundStarter = 'webhook' | 'reconciler' | 'replay' | 'unannounced';

/**
 * What caused an attempt: the start of its round, a retry after a failure, a redrive of the dead letter, or the end of a
 * wait behind an open circuit (`resume`).
 */
export type Trigger = RoundStarter | 'retry' | 'redrive' | 'resume';

interface Moment {
  readonly at: Date;
}

/** A notification of an order, and what became of it. */
export interface NotificationEvent extends Moment {
  readonly kind: 'notification';
  readonly service: string;
  /** `queued`, `duplicate` or `stale`; for the reconciler its reason. */
  readonly outcome: string;
  readonly durationMs: number | undefined;
}

/** An attempt of a worker. */
export interface AttemptEvent extends Moment {
  readonly kind: 'attempt';
  readonly worker: WorkerName;
  readonly trigger: Trigger;
  /** From 1 within the round and the worker; undefined if no call was made. */
  readonly number: number | undefined;
  /** `held`: no call was made, because the circuit was open. */
  readonly result: 'done' | 'retry' | 'failed' | 'held' | 'superseded';
  /** The outcome of a step that ended well: `downloaded`, `posted`, `unchanged`, `already_known`. */
  readonly outcome: string | undefined;
  readonly errorCode: string | undefined;
  readonly error: string | undefined;
  readonly statusCode: number | undefined;
  readonly receive: number | undefined;
  readonly waitSeconds: number | undefined;
  readonly durationMs: number | undefined;
  /** Number of equal attempts in a row that this one stands for. */
  readonly times: number;
}

/** A time in which nothing happened. */
export interface WaitingEvent extends Moment {
  readonly kind: 'waiting';
  readonly seconds: number;
  readonly why: 'queue' | 'back-off' | 'circuit' | 'operator';
}

export type TraceEvent = NotificationEvent | AttemptEvent | WaitingEvent;

/** One round of an order. */
export interface TracedRound {
  /** Undefined if neither the item nor a stored payload names it. */
  readonly round: Round | undefined;
  readonly requestId: string | undefined;
  readonly startedBy: RoundStarter;
  readonly notificationType: string | undefined;
  readonly startedAt: Date;
  /** The last event; undefined while the round is open. */
  readonly endedAt: Date | undefined;
  /** `SUPERSEDED`: a newer round began before this one was closed. */
  readonly end: OrderStatus | 'SUPERSEDED';
  readonly hasPayload: boolean;
  /** Empty if the log lines of the round are no longer kept. */
  readonly events: readonly TraceEvent[];
}

export interface TraceInput {
  /** Undefined if there is no item. */
  readonly order: Order | undefined;
  /** The oldest first. */
  readonly lines: readonly OrderLine[];
  /** The rounds with a stored payload. */
  readonly payloads: readonly Round[];
}

/** Shorter gaps are not shown. */
const shortestGapMs = 1_000;

const accepted = 'webhook accepted';
const reconciled = 'order reconciled';

/** Whether a line begins a round, or belongs to the work on one. */
const isOfRound = (line: OrderLine): boolean =>
  (line.message === accepted && line.outcome === 'queued') ||
  line.message === reconciled ||
  workerOf(line) !== undefined;

/** Reconstructs the rounds of an order, the oldest first. */
export const traceOf = ({ order, lines, payloads }: TraceInput): TracedRound[] => {
  const groups = groupByRequest(lines);
  const traced = groups.map((group, index) => toRound(group, { order, payloads, next: groups[index + 1] }));
  const known = new Set([...traced.map(({ round }) => round), undefined]);
  const silent = [...new Set([...payloads, ...(order ? [order.round] : [])])]
    .filter((round) => !known.has(round))
    .map((round) => silentRound(round, order, payloads));
  return [...silent, ...traced].sort((a, b) => a.startedAt.getTime() - b.startedAt.getTime());
};

interface Group {
  readonly requestId: string;
  readonly lines: OrderLine[];
}

const groupByRequest = (lines: readonly OrderLine[]): Group[] => {
  const groups: Group[] = [];
  for (const line of lines.filter(isOfRound)) {
    const known = groups.find(({ requestId }) => requestId === line.requestId);
    if (known) known.lines.push(line);
    else if (line.requestId !== undefined) groups.push({ requestId: line.requestId, lines: [line] });
  }
  // A repeated notification has a request of its own, and belongs to the round that it repeats.
  for (const line of lines.filter(isRepeated)) {
    const current = groups.findLast(({ lines: [first] }) => first !== undefined && first.at <= line.at) ?? groups[0];
    current?.lines.push(line);
  }
  for (const group of groups) group.lines.sort(byTime);
  return groups;
};

/** The webhook logs after its send, so that its line can be later than that of the download. */
const byTime = (a: OrderLine, b: OrderLine): number =>
  Number(isStart(b)) - Number(isStart(a)) || a.at.getTime() - b.at.getTime();

const isStart = ({ message, outcome }: OrderLine): boolean =>
  message === reconciled || (message === accepted && outcome === 'queued');

const isRepeated = ({ message, outcome }: OrderLine): boolean => message === accepted && outcome !== 'queued';

interface RoundSurroundings {
  readonly order: Order | undefined;
  readonly payloads: readonly Round[];
  readonly next: Group | undefined;
}

const toRound = ({ requestId, lines }: Group, { order, payloads, next }: RoundSurroundings): TracedRound => {
  const isNewest = order?.request_id === requestId;
  const key = lines.find(({ s3Key }) => s3Key !== undefined)?.s3Key;
  const named = roundSchema.safeParse(key?.replace(/^.*\/(.*)\.json$/, '$1')).data;
  const round = isNewest ? order.round : named;
  const start = lines.find(isStart);
  const logged = lines.find((line) => line.startedBy !== undefined)?.startedBy;
  const startedBy = starterOf(start, logged ?? (isNewest ? order.notification_type : undefined));
  // A repeated notification reports the status that it finds, at any later time.
  const own = lines.filter((line) => !isRepeated(line));
  const closing = own.findLast(({ status }) => status === 'PROCESSED' || status === 'FAILED');
  const reached = own.some(({ status }) => status === 'DOWNLOADED') ? 'DOWNLOADED' : 'NOTIFIED';
  const end = isNewest
    ? order.status
    : ((closing?.status as OrderStatus | undefined) ?? (next ? 'SUPERSEDED' : reached));
  const isClosed = end !== 'NOTIFIED' && end !== 'DOWNLOADED';
  const times = own.map(({ at }) => at.getTime());
  return {
    round,
    requestId,
    startedBy,
    notificationType: start?.notificationType ?? (isNewest ? order.notification_type : undefined),
    // Without a line about its start, the round's own time is the time of its start.
    startedAt: new Date(start || round === undefined ? Math.min(...times) : roundStartMs(round)),
    endedAt: isClosed ? new Date(Math.max(...times)) : undefined,
    end,
    hasPayload: round !== undefined && payloads.includes(round),
    events: withWaits(collapse(toEvents(lines, startedBy))),
  };
};

const starterOf = (start: OrderLine | undefined, notificationType: string | undefined): RoundStarter => {
  if (start !== undefined) return start.message === reconciled ? 'reconciler' : 'webhook';
  if (notificationType === 'reconciliation') return 'reconciler';
  return notificationType === 'replay' ? 'replay' : 'unannounced';
};

/** A round without log lines: they are older than the period that was searched, or no longer kept. */
const silentRound = (round: Round, order: Order | undefined, payloads: readonly Round[]): TracedRound => {
  const newest = order?.round === round ? order : undefined;
  const closedAt =
    newest?.status === 'PROCESSED' ? newest.processed_at : newest?.status === 'FAILED' ? newest.failed_at : undefined;
  return {
    round,
    requestId: newest?.request_id,
    startedBy: starterOf(undefined, newest?.notification_type),
    notificationType: newest?.notification_type,
    startedAt: new Date(roundStartMs(round)),
    endedAt: closedAt === undefined ? undefined : new Date(closedAt),
    end: newest?.status ?? 'SUPERSEDED',
    hasPayload: payloads.includes(round),
    events: [],
  };
};

const toEvents = (lines: readonly OrderLine[], startedBy: RoundStarter): (NotificationEvent | AttemptEvent)[] => {
  const events: (NotificationEvent | AttemptEvent)[] = [];
  const attempts = { download: 0, processing: 0 };
  for (const line of lines) {
    const worker = workerOf(line);
    const event = worker === undefined ? toNotification(line) : toAttempt(line, worker, events, startedBy);
    if (event === undefined) continue;
    const isCall = event.kind === 'attempt' && event.result !== 'held' && event.result !== 'superseded';
    events.push(isCall ? { ...event, number: ++attempts[event.worker] } : event);
  }
  return events;
};

const toNotification = ({ at, service, outcome, reason, responseTimeMs }: OrderLine): NotificationEvent => ({
  kind: 'notification',
  at,
  service,
  outcome: outcome ?? reason ?? 'queued',
  durationMs: responseTimeMs,
});

const resultOf = (line: OrderLine): AttemptEvent['result'] | undefined => {
  if (isRetryLine(line)) return line.errorCode === circuitOpenCode ? 'held' : 'retry';
  if (line.status === 'FAILED') return 'failed';
  if (line.status === 'DOWNLOADED' || line.status === 'PROCESSED') return 'done';
  return line.outcome === 'superseded' ? 'superseded' : undefined;
};

const toAttempt = (
  line: OrderLine,
  worker: WorkerName,
  before: readonly (NotificationEvent | AttemptEvent)[],
  startedBy: RoundStarter,
): AttemptEvent | undefined => {
  const result = resultOf(line);
  if (result === undefined) return undefined;
  const previous = before.findLast(
    (event): event is AttemptEvent => event.kind === 'attempt' && event.worker === worker,
  );
  return {
    kind: 'attempt',
    at: line.at,
    worker,
    trigger: triggerAfter(previous, startedBy),
    number: undefined,
    result,
    outcome: line.status === 'DOWNLOADED' ? 'downloaded' : line.outcome,
    errorCode: line.errorCode,
    error: line.error,
    statusCode: line.statusCode,
    receive: line.receive,
    waitSeconds: line.waitSeconds,
    durationMs: line.responseTimeMs ?? line.attemptMs,
    times: 1,
  };
};

const triggerAfter = (previous: AttemptEvent | undefined, startedBy: RoundStarter): Trigger => {
  switch (previous?.result) {
    case 'retry':
      return 'retry';
    case 'held':
      return 'resume';
    case 'failed':
      return 'redrive';
    default:
      return startedBy;
  }
};

/** Joins attempts in a row that met the open circuit: a long outage causes two of them per minute. */
const collapse = (events: readonly (NotificationEvent | AttemptEvent)[]): (NotificationEvent | AttemptEvent)[] => {
  const joined: (NotificationEvent | AttemptEvent)[] = [];
  for (const event of events) {
    const last = joined.at(-1);
    if (event.kind === 'attempt' && event.result === 'held' && last?.kind === 'attempt' && last.result === 'held') {
      joined[joined.length - 1] = { ...last, waitSeconds: waitUntil(last.at, event), times: last.times + 1 };
    } else {
      joined.push(event);
    }
  }
  return joined;
};

const waitUntil = (from: Date, { at, waitSeconds = 0 }: AttemptEvent): number =>
  (at.getTime() - from.getTime()) / 1_000 + waitSeconds;

const withWaits = (events: readonly (NotificationEvent | AttemptEvent)[]): TraceEvent[] =>
  events.flatMap((event, index): TraceEvent[] => {
    if (index > 0 && event.kind === 'notification') return [event];
    // A repeated notification does not end a wait.
    const next = events.slice(index + 1).find(({ kind }) => kind === 'attempt');
    const gapMs = next ? next.at.getTime() - event.at.getTime() : 0;
    if (gapMs < shortestGapMs) return [event];
    return [event, { kind: 'waiting', at: event.at, seconds: gapMs / 1_000, why: reasonFor(event) }];
  });

const reasonFor = (event: NotificationEvent | AttemptEvent): WaitingEvent['why'] => {
  if (event.kind === 'notification') return 'queue';
  if (event.result === 'failed') return 'operator';
  if (event.result === 'held') return 'circuit';
  return event.result === 'retry' ? 'back-off' : 'queue';
};
