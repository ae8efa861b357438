import { stateOf } from '../../shared/issues/issue';
import type { Activity } from '../services/status/activity';
import { drainSeconds, type Finding, groupWaiting, type WaitingGroup } from '../services/status/findings';
import { backlogOf } from '../services/status/queues';
import { known, type Reading } from '../services/status/reading';
import type { Status } from '../services/status/status';
import { toIssueDocument } from './issue-view';
import { formatAge, formatDuration, plural, renderTable, type Terminal, wrapText } from './terminal';

type Colors = Terminal['colors'];

/** Width of the widest line. */
const width = 80;
const maxWaitingRows = 8;

/** Breaks a text into lines of 80 columns with an indent. */
const wrap = (text: string, indent: number): string[] => wrapText(text, width - indent);

const inTime = (at: Date, nowMs: number): string =>
  at.getTime() > nowMs
    ? `in ${formatDuration((at.getTime() - nowMs) / 1_000)}`
    : `due ${formatAge(nowMs - at.getTime())}`;

const since = (at: Date, nowMs: number): string => formatDuration((nowMs - at.getTime()) / 1_000);

/** Renders the state of a stage: findings first, then the figures. Fits 80 columns. */
export const renderStatus = (
  status: Status,
  findings: readonly Finding[],
  stageLabel: string,
  stageCommand: string,
  colors: Colors,
): string => {
  const isRed = findings.some(({ severity }) => severity === 'red');
  const verdict = isRed ? 'RED' : findings.length > 0 ? 'YELLOW' : 'ALL WELL';
  const color = isRed ? colors.red : findings.length > 0 ? colors.yellow : colors.green;
  const left = `${stageLabel}  ${status.at.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
  return [
    `${left.padEnd(width - verdict.length)}${color(colors.bold(verdict))}`,
    ...findings.flatMap((finding) => renderFinding(finding, stageCommand, colors)),
    '',
    renderActivity(status),
    '',
    renderQueues(status),
    ...renderWaiting(status),
    '',
    ...renderRest(status),
  ].join('\n');
};

const renderFinding = ({ severity, text, command }: Finding, stageCommand: string, colors: Colors): string[] => {
  const color = severity === 'red' ? colors.red : colors.yellow;
  const [first = '', ...others] = wrap(text, 2);
  return [
    color(`! ${first}`),
    ...others.map((line) => color(`  ${line}`)),
    ...(command === undefined ? [] : [colors.dim(`  ${stageCommand} ${command}`)]),
  ];
};

const activityRows = [
  ['webhooks accepted', 'webhooks'],
  ['webhooks refused', 'refused'],
  ['orders downloaded', 'downloaded'],
  ['orders processed', 'processed'],
  ['orders failed', 'failed'],
] as const satisfies readonly (readonly [string, keyof Activity])[];

const missing = (name: string, reading: Reading<unknown>): string =>
  'missing' in reading ? wrap(`${name}: ${reading.missing}`, 0).join('\n') : name;

const renderActivity = ({ activity }: Status): string => {
  const report = known(activity);
  if (report === undefined) return missing('activity', activity);
  const { lastHour, hourBefore, sameHourYesterday } = report;
  return renderTable(
    activityRows.map(([name, field]) => [
      name,
      ...[lastHour, hourBefore, sameHourYesterday].map((hour) => String(hour[field])),
    ]),
    ['', 'LAST HOUR', 'HOUR BEFORE', 'YESTERDAY, SAME HOUR'],
  );
};

const renderQueues = ({ queues, activity, waiting, at }: Status): string => {
  const all = known(queues);
  if (all === undefined) return missing('queues', queues);
  const rates = known(activity)?.perMinute;
  const orders = known(waiting);
  return renderTable(
    all.map((queue) => {
      const { worker } = queue;
      const oldest = orders?.find(({ tries }) => tries.worker === worker)?.order.notified_at;
      const seconds = rates && drainSeconds(queue, rates[worker]);
      const drains = seconds === undefined ? 'not draining' : seconds === 0 ? '-' : formatDuration(seconds);
      return [
        worker,
        ...[queue.waiting, queue.inFlight, queue.delayed].map(String),
        oldest === undefined ? '-' : since(new Date(oldest), at.getTime()),
        rates ? `${Math.round(rates[worker] * 10) / 10}/min` : '?',
        rates || backlogOf(queue) === 0 ? drains : '?',
        String(queue.deadLetters),
      ];
    }),
    ['QUEUE', 'WAITING', 'IN FLIGHT', 'DELAYED', 'OLDEST', 'RATE', 'DRAINS IN', 'DEAD'],
  );
};

/** Why the orders of a group wait. */
const reasonOf = ({ code, isHeldByCircuit }: WaitingGroup): string => {
  if (code === undefined) return 'first attempt';
  if (code === 'CIRCUIT_OPEN') return 'open circuit, not tried yet';
  return isHeldByCircuit ? `open circuit, ${code}` : code;
};

const renderWaiting = ({ waiting, at }: Status): string[] => {
  const orders = known(waiting);
  if (orders === undefined) return ['', missing('open orders', waiting)];
  const groups = groupWaiting(orders);
  if (groups.length === 0) return ['', 'open orders  none'];
  const rows = groups
    .slice(0, maxWaitingRows)
    .map((group) => [
      group.worker,
      reasonOf(group),
      String(group.orders),
      since(group.oldestAt, at.getTime()),
      group.nextAttemptAt === undefined ? '-' : inTime(group.nextAttemptAt, at.getTime()),
    ]);
  const more = groups.length - rows.length;
  return [
    '',
    renderTable(rows, ['OPEN ORDERS', 'WAIT FOR', 'COUNT', 'OLDEST', 'NEXT ATTEMPT']),
    ...(more > 0 ? [`… and ${plural(more, 'more reason')}; --json shows all`] : []),
  ];
};

const line = (name: string, text: string): string[] => {
  const [first = '', ...others] = wrap(text, 13);
  return [`${name.padEnd(13)}${first}`, ...others.map((other) => `${' '.repeat(13)}${other}`)];
};

const describe = <T>(name: string, reading: Reading<T>, toText: (value: T) => string): string[] =>
  line(name, 'missing' in reading ? reading.missing : toText(reading.value));

const renderRest = (status: Status): string[] => {
  const { issues, circuits, alarms, disabledWorkers, schedules, pauses, syncs, lastPass, releases } = status;
  const nowMs = status.at.getTime();
  const off = [...(known(disabledWorkers) ?? []), ...(known(schedules)?.off ?? [])];
  const recorded = (known(pauses) ?? []).filter(({ isInForce }) => isInForce).map(({ pause }) => pause.part);
  const unseen = [
    ...('missing' in disabledWorkers ? [`workers ${disabledWorkers.missing}`] : []),
    ...('missing' in schedules ? [`schedules ${schedules.missing}`] : []),
  ];
  return [
    ...describe('circuits', circuits, (all) =>
      all
        .map(({ worker, openSince }) => `${worker} ${openSince ? `open for ${since(openSince, nowMs)}` : 'closed'}`)
        .join(', '),
    ),
    ...describe('issues', issues, (all) => {
      const acknowledged = all.filter((issue) => stateOf(issue, nowMs) === 'acknowledged').length;
      return all.length === 0 ? 'none' : `${all.length - acknowledged} open, ${acknowledged} acknowledged`;
    }),
    ...describe('alarms', alarms, ({ total, raised }) =>
      raised.length === 0 ? `none of ${total}` : `${raised.map(({ name }) => name).join(', ')} (${total} in total)`,
    ),
    ...line('paused', [[...new Set([...recorded, ...off])].join(', ') || 'nothing', ...unseen].join('; ')),
    ...describe('sync runs', syncs, ({ running, last }) =>
      [
        running.length === 0
          ? 'none in progress'
          : running.map(({ name, startedAt }) => `${name} for ${since(startedAt, nowMs)}`).join(', '),
        last ? `last: ${last.name} ${last.status} ${formatAge(nowMs - last.endedAt.getTime())}` : 'none has ended',
      ].join('; '),
    ),
    ...describe('reconciler', lastPass, (pass) =>
      pass === undefined
        ? 'no pass in the last 24 hours'
        : `last pass ${formatAge(nowMs - pass.endedAt.getTime())}: ${pass.known} known, ${pass.missing} missing, ` +
          `${pass.drifted} drifted, ${pass.stuck} stuck, ${pass.inFlight} in flight`,
    ),
    ...describe('releases', releases, (all) =>
      all
        .map(
          ({ version, commit, functions }) =>
            `${version} (${commit.slice(0, 7)}) on ${plural(functions.length, 'Lambda')}`,
        )
        .join(', '),
    ),
  ];
};

const orMissing = <T, Document>(reading: Reading<T>, toDocument: (value: T) => Document) =>
  'missing' in reading ? { missing: reading.missing } : toDocument(reading.value);

/** The state of a stage as a JSON document. */
export const toStatusDocument = (status: Status, findings: readonly Finding[]) => ({
  stage: status.stage,
  at: status.at.toISOString(),
  red: findings.some(({ severity }) => severity === 'red'),
  findings: findings.map(({ command, ...finding }) => ({ ...finding, command: command ?? null })),
  activity: orMissing(status.activity, ({ lastHour, hourBefore, sameHourYesterday, perMinute }) => ({
    last_hour: lastHour,
    hour_before: hourBefore,
    same_hour_yesterday: sameHourYesterday,
    per_minute: perMinute,
  })),
  queues: orMissing(status.queues, (queues) =>
    queues.map(({ worker, waiting, inFlight, delayed, deadLetters }) => ({
      queue: worker,
      waiting,
      in_flight: inFlight,
      delayed,
      dead_letters: deadLetters,
    })),
  ),
  waiting: orMissing(status.waiting, (orders) => ({
    orders: orders.length,
    groups: groupWaiting(orders).map((group) => ({
      worker: group.worker,
      error_code: group.code ?? null,
      held_by_circuit: group.isHeldByCircuit,
      orders: group.orders,
      oldest_notified_at: group.oldestAt.toISOString(),
      next_attempt_at: group.nextAttemptAt?.toISOString() ?? null,
      sample: group.sample,
    })),
  })),
  circuits: orMissing(status.circuits, (circuits) =>
    circuits.map(({ worker, isOpen, openSince }) => ({
      worker,
      open: isOpen,
      open_since: openSince?.toISOString() ?? null,
    })),
  ),
  issues: orMissing(status.issues, (issues) => issues.map((issue) => toIssueDocument(issue, status.at.getTime()))),
  refused_bodies: orMissing(status.refusedBodies, (bodies) => bodies),
  alarms: orMissing(status.alarms, ({ total, raised, silent }) => ({
    total,
    silent,
    raised: raised.map(({ name, since: raisedAt, description }) => ({
      name,
      since: raisedAt?.toISOString() ?? null,
      description,
    })),
  })),
  paused: {
    workers: orMissing(status.disabledWorkers, (names) => names),
    schedules: orMissing(status.schedules, ({ off }) => off),
    pauses: orMissing(status.pauses, (all) =>
      all.map(({ pause, isInForce, isComplete }) => ({
        part: pause.part,
        by: pause.by,
        reason: pause.reason,
        since: pause.since,
        until: pause.until ?? null,
        in_force: isInForce,
        complete: isComplete,
      })),
    ),
  },
  syncs: orMissing(status.syncs, ({ running, last }) => ({
    running: running.map(({ name, startedAt }) => ({ run_id: name, started_at: startedAt.toISOString() })),
    last: last ? { run_id: last.name, status: last.status, ended_at: last.endedAt.toISOString() } : null,
  })),
  last_pass: orMissing(status.lastPass, (pass) =>
    pass === undefined
      ? null
      : {
          ended_at: pass.endedAt.toISOString(),
          known: pass.known,
          missing: pass.missing,
          drifted: pass.drifted,
          stuck: pass.stuck,
          in_flight: pass.inFlight,
        },
  ),
  releases: orMissing(status.releases, (all) => all),
});
