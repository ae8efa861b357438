import { describeCause, stateOf } from '../../../shared/issues/issue';
import type { WorkerName } from '../../../shared/orders/order';
import type { WaitingOrder } from '../order-log/order-log';
import type { Pause } from '../pause/record';
import { backlogOf, type QueueStatus } from './queues';
import { known } from './reading';
import type { Status } from './status';

/** `red`: orders are delayed, failed or possibly lost, and an operator should look. `yellow`: worth knowing. */
export type Severity = 'red' | 'yellow';

/** Something in the state of a stage that is not as it should be. */
export interface Finding {
  readonly severity: Severity;
  /** What it is about. */
  readonly subject:
    | 'circuit'
    | 'waiting'
    | 'dead letters'
    | 'failed'
    | 'issue'
    | 'refused'
    | 'alarm'
    | 'paused'
    | 'reconciler'
    | 'completeness'
    | 'sync'
    | 'release'
    | 'unknown';
  /** A sentence. */
  readonly text: string;
  /** Arguments of the `pipeline` command that shows more. */
  readonly command?: string;
}

/** Open orders that wait for the same reason. */
export interface WaitingGroup {
  readonly worker: WorkerName;
  /** Error code of the last failed call, with its HTTP status; undefined before the first failure. */
  readonly code: string | undefined;
  readonly isHeldByCircuit: boolean;
  readonly orders: number;
  readonly oldestAt: Date;
  /** The earliest next attempt; undefined if none of them has failed yet. */
  readonly nextAttemptAt: Date | undefined;
  /** The order that waits longest. */
  readonly sample: string;
}

const minuteMs = 60_000;
/** As the alarms: messages older than this mean that a queue falls behind. */
const slowAfterMs = 15 * minuteMs;
/** A pause without an end is forgotten after a day. */
const forgottenAfterMs = 24 * 60 * minuteMs;
/** As the alarm "Reconciler does not run". */
const passEveryMs = 180 * minuteMs;

/** Groups open orders by worker and cause, the largest group first. */
export const groupWaiting = (orders: readonly WaitingOrder[]): WaitingGroup[] => {
  const groups = Map.groupBy(orders, ({ tries: { worker, lastFailure, isHeldByCircuit } }) =>
    [worker, lastFailure?.code, lastFailure?.statusCode, isHeldByCircuit].join(' '),
  );
  return [...groups.values()]
    .flatMap((members) => {
      const [first] = members;
      return first === undefined ? [] : [toGroup(first, members)];
    })
    .sort((a, b) => b.orders - a.orders);
};

/** @param first the oldest of the orders */
const toGroup = (first: WaitingOrder, members: readonly WaitingOrder[]): WaitingGroup => {
  const { worker, lastFailure, isHeldByCircuit } = first.tries;
  const attempts = members.flatMap(({ tries }) => tries.nextAttemptAt?.getTime() ?? []);
  return {
    worker,
    code: lastFailure && [lastFailure.code, lastFailure.statusCode ?? []].flat().join(' '),
    isHeldByCircuit,
    orders: members.length,
    oldestAt: new Date(first.order.notified_at),
    nextAttemptAt: attempts.length === 0 ? undefined : new Date(Math.min(...attempts)),
    sample: first.order.order_id,
  };
};

/** How long a queue needs until it is empty at its present rate; undefined if it does not drain, 0 if it is empty. */
export const drainSeconds = (queue: QueueStatus, perMinute: number): number | undefined => {
  const backlog = backlogOf(queue);
  if (backlog === 0) return 0;
  return perMinute > 0 ? (backlog / perMinute) * 60 : undefined;
};

const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`;
const minutesSince = (at: Date, now: Date): string =>
  // The clock of the logs can be slightly ahead.
  count(Math.max(0, Math.floor((now.getTime() - at.getTime()) / minuteMs)), 'minute');

const apiOf: Readonly<Record<WorkerName, string>> = { download: 'Qualia', processing: 'the internal API' };

/** Finds what is not as it should be, red first. */
export const findingsOf = (status: Status): Finding[] => {
  const findings = [
    ...circuits(status),
    ...waiting(status),
    ...deadLetters(status),
    ...failed(status),
    ...issues(status),
    ...refused(status),
    ...alarms(status),
    ...completeness(status),
    ...syncs(status),
    ...pauses(status),
    ...switchedOff(status),
    ...releases(status),
    ...unknown(status),
  ];
  return findings.sort((a, b) => Number(a.severity === 'yellow') - Number(b.severity === 'yellow'));
};

const circuits = ({ circuits, at }: Status): Finding[] =>
  (known(circuits) ?? []).flatMap(({ worker, openSince }): Finding[] =>
    openSince === undefined
      ? []
      : [
          {
            severity: 'red',
            subject: 'circuit',
            text: `${worker} makes no calls: ${apiOf[worker]} has failed for ${minutesSince(openSince, at)}.`,
            command: 'logs retries --since 1h',
          },
        ],
  );

const waiting = ({ waiting, pauses, at }: Status): Finding[] => {
  // An order that waits for a paused worker is shown with the pause.
  const expected = pausedParts(pauses);
  const slow = (known(waiting) ?? []).filter(
    ({ order, tries: { worker } }) =>
      !expected.has(worker) && at.getTime() - Date.parse(order.notified_at) > slowAfterMs,
  );
  const [oldest] = slow;
  if (oldest === undefined) return [];
  const age = minutesSince(new Date(oldest.order.notified_at), at);
  return [
    {
      severity: 'red',
      subject: 'waiting',
      text: `${count(slow.length, 'order')} open for over 15 minutes, the oldest for ${age}.`,
      command: `orders trace ${oldest.order.order_id}`,
    },
  ];
};

const deadLetters = ({ queues }: Status): Finding[] =>
  (known(queues) ?? []).flatMap(({ worker, deadLetters }): Finding[] =>
    deadLetters === 0
      ? []
      : [
          {
            severity: 'red',
            subject: 'dead letters',
            text: `${count(deadLetters, 'dead letter')} of ${worker}.`,
            command: 'dlq list',
          },
        ],
  );

const failed = ({ activity }: Status): Finding[] => {
  const orders = known(activity)?.lastHour.failed ?? 0;
  if (orders === 0) return [];
  const text = `${count(orders, 'order')} failed in the last hour.`;
  return [{ severity: 'red', subject: 'failed', text, command: 'orders list --since 1h' }];
};

const issues = ({ issues, at }: Status): Finding[] => {
  const open = (known(issues) ?? []).filter((issue) => stateOf(issue, at.getTime()) === 'open');
  const [newest] = open;
  if (newest === undefined) return [];
  const others = open.length === 1 ? '' : `, and ${count(open.length - 1, 'other issue')}`;
  const text = `Open issue: ${describeCause(newest)}, ${count(newest.count, 'failure')}${others}.`;
  const command = open.length === 1 ? `issues get ${newest.id}` : 'issues';
  return [{ severity: 'red', subject: 'issue', text, command }];
};

/** Events of Qualia that an operator can accept after a fix. */
const refused = ({ refusedBodies }: Status): Finding[] => {
  const bodies = known(refusedBodies) ?? 0;
  if (bodies === 0) return [];
  const text = `${count(bodies, 'webhook')} of an authenticated sender refused in 7 days, and kept.`;
  return [{ severity: 'yellow', subject: 'refused', text, command: 'webhooks refused list' }];
};

const alarms = ({ alarms, pauses }: Status): Finding[] => {
  const expected = new Set((known(pauses) ?? []).flatMap(({ silences }) => silences));
  const { raised = [], silent = [] } = known(alarms) ?? {};
  const unexpected = silent.filter((name) => !expected.has(name));
  return [
    ...raised
      .filter(({ name }) => !(silent.includes(name) && expected.has(name)))
      .map(
        ({ name, description }): Finding => ({
          severity: 'red',
          subject: 'alarm',
          text: `Alarm ${name}: ${description}`,
        }),
      ),
    ...(unexpected.length === 0
      ? []
      : [
          {
            severity: 'red',
            subject: 'alarm',
            text: `No pause explains why these alarms notify nobody: ${unexpected.join(', ')}.`,
          } as const,
        ]),
  ];
};

const completeness = ({ lastPass, schedules, at }: Status): Finding[] => {
  const scheduled = known(schedules)?.on.includes('reconciler');
  const pass = known(lastPass);
  if (pass === undefined || at.getTime() - pass.endedAt.getTime() > passEveryMs) {
    if ('missing' in lastPass || !scheduled) return [];
    const text = 'The reconciler has completed no pass for three hours.';
    return [
      { severity: 'red', subject: 'reconciler', text, command: 'logs \'filter service = "reconciler"\' --since 6h' },
    ];
  }
  const lost = pass.missing + pass.drifted;
  if (lost === 0) return [];
  const text = `The last pass found ${pass.missing} missing and ${pass.drifted} drifted; their rounds are started.`;
  return [{ severity: 'red', subject: 'completeness', text, command: 'prove' }];
};

const syncs = ({ syncs }: Status): Finding[] => {
  const last = known(syncs)?.last;
  if (last === undefined || last.status === 'SUCCEEDED' || last.status === 'STOPPED') return [];
  const text = `The last sync run, ${last.name}, ended ${last.status}.`;
  // Most results of a PARTIAL run can be used.
  const severity = last.status === 'PARTIAL' ? 'yellow' : 'red';
  return [{ severity, subject: 'sync', text, command: `sync get ${last.name}` }];
};

/** The parts whose pause is in force. */
const pausedParts = (pauses: Status['pauses']): ReadonlySet<string> =>
  new Set((known(pauses) ?? []).filter(({ isInForce }) => isInForce).map(({ pause }) => pause.part));

/** A pause is worth knowing. One that is forgotten, incomplete or overdue needs an operator. */
const pauses = ({ pauses, at }: Status): Finding[] =>
  (known(pauses) ?? []).flatMap((status): Finding[] => {
    const { pause, isInForce, isComplete } = status;
    const text = describePause(pause);
    const command = `resume ${pause.part}`;
    const finding = (severity: Severity, more: string): Finding[] => [
      { severity, subject: 'paused', text: `${text}${more}`, command },
    ];
    if (!isInForce) return isComplete ? [] : finding('red', ' It should have resumed.');
    if (!isComplete) return finding('red', ' But it is not switched off: a deployment or a failure undid the pause.');
    const isForgotten = pause.until === undefined && at.getTime() - Date.parse(pause.since) > forgottenAfterMs;
    return isForgotten
      ? finding('red', ` That was ${minutesSince(new Date(pause.since), at)} ago.`)
      : finding('yellow', '');
  });

/** `download is paused by jane until …: reason` */
export const describePause = ({ part, by, until, reason }: Pause): string => {
  const end = until === undefined ? '' : ` until ${until.slice(0, 16).replace('T', ' ')} UTC`;
  return `${part} is paused by ${by.replace(/^.*[/:]/, '')}${end}: ${reason}.`;
};

/** What is switched off without the record of a pause. */
const switchedOff = ({ disabledWorkers, schedules, pauses }: Status): Finding[] => {
  const recorded = new Set((known(pauses) ?? []).map(({ pause }) => pause.part as string));
  return [
    ...(known(disabledWorkers) ?? [])
      .filter((worker) => !recorded.has(worker))
      .map(
        (worker): Finding => ({
          severity: 'red',
          subject: 'paused',
          text: `The queue of ${worker} is not consumed: its event source mapping is disabled, and no pause explains it.`,
          command: `resume ${worker}`,
        }),
      ),
    ...(known(schedules)?.off ?? [])
      .filter((name) => !recorded.has(name))
      .map((name): Finding => ({ severity: 'yellow', subject: 'paused', text: `No schedule starts the ${name}.` })),
  ];
};

const releases = ({ releases }: Status): Finding[] => {
  const [newest, ...others] = known(releases) ?? [];
  if (newest === undefined || others.length === 0) return [];
  const names = others.flatMap(({ functions }) => functions).join(', ');
  return [{ severity: 'yellow', subject: 'release', text: `Another release than most Lambdas runs: ${names}.` }];
};

/** Parts that could not be read. */
const unknown = (status: Status): Finding[] =>
  Object.entries(status).flatMap(([name, reading]): Finding[] => {
    if (typeof reading !== 'object' || reading === null || !('missing' in reading)) return [];
    return [{ severity: 'yellow', subject: 'unknown', text: `Not known: ${name}. ${reading.missing}.` }];
  });
