import { setTimeout as wait } from 'node:timers/promises';
import {
  FilterLogEventsCommand,
  paginateDescribeLogGroups,
  StartLiveTailCommand,
  type StartLiveTailResponseStream,
} from '@aws-sdk/client-cloudwatch-logs';
import { ServiceFault } from './fault';
import type { StageConnection } from './stage-connection';

/** An event of a log group, as it arrives. */
export interface TailedEvent {
  readonly at: Date;
  readonly message: string;
}

export interface TailOptions {
  /** A filter pattern of CloudWatch Logs; empty for all events. */
  readonly pattern: string;
  readonly now: () => number;
  /** Ends the tail. */
  readonly signal: AbortSignal;
  /** Receives the number of sessions that are opened, before the first event. */
  readonly onStart: (sessions: number) => void;
}

/** The most log groups that a session of Live Tail accepts. */
const maxGroupsPerSession = 10;
const pollMs = 500;
/** A function writes its lines in batches, and their times can be older than those of another function. */
const lateMs = 2_000;

interface LogGroup {
  readonly name: string;
  readonly arn: string;
}

/**
 * Yields the events of all log groups of a stage as they arrive, until the signal aborts. On AWS, they come from Live
 * Tail, which is charged by the minute; on this machine, from the log files.
 *
 * @throws {ServiceFault} `absent` if the stage has no log groups
 */
export async function* tail(
  stage: Pick<StageConnection, 'name' | 'local' | 'logs'>,
  options: TailOptions,
): AsyncGenerator<TailedEvent> {
  const groups = await listLogGroups(stage);
  if (groups.length === 0) throw new ServiceFault('absent', `The stage ${stage.name} has no log groups.`);
  yield* stage.local ? poll(stage, groups, options) : stream(stage, groups, options);
}

const listLogGroups = async ({ name: stage, logs }: Pick<StageConnection, 'name' | 'logs'>): Promise<LogGroup[]> => {
  const groups: LogGroup[] = [];
  const pages = paginateDescribeLogGroups({ client: logs }, { logGroupNamePattern: `${stage}-marketplace-` });
  for await (const { logGroups = [] } of pages)
    for (const { logGroupName: name = '', logGroupArn: arn = '' } of logGroups) groups.push({ name, arn });
  return groups;
};

async function* poll(
  { logs }: Pick<StageConnection, 'logs'>,
  groups: readonly LogGroup[],
  { pattern, now, signal, onStart }: TailOptions,
): AsyncGenerator<TailedEvent> {
  onStart(0);
  const startedAtMs = now();
  const seen = new Set<string>();
  while (!signal.aborted) {
    const startTime = Math.max(startedAtMs, now() - lateMs);
    const found = await Promise.all(
      groups.map(async ({ name }) => {
        const request = { logGroupName: name, startTime, filterPattern: pattern };
        return (await logs.send(new FilterLogEventsCommand(request))).events ?? [];
      }),
    );
    const fresh = found.flat().filter(({ eventId = '' }) => !seen.has(eventId));
    for (const { eventId = '' } of fresh) seen.add(eventId);
    yield* fresh
      .map(({ timestamp = 0, message = '' }) => ({ at: new Date(timestamp), message }))
      .sort((a, b) => a.at.getTime() - b.at.getTime());
    await wait(pollMs, undefined, { signal }).catch(() => undefined);
  }
}

async function* stream(
  { logs }: Pick<StageConnection, 'logs'>,
  groups: readonly LogGroup[],
  { pattern, signal, onStart }: TailOptions,
): AsyncGenerator<TailedEvent> {
  const parts: LogGroup[][] = [];
  for (let start = 0; start < groups.length; start += maxGroupsPerSession)
    parts.push(groups.slice(start, start + maxGroupsPerSession));
  onStart(parts.length);
  const sessions = await Promise.all(
    parts.map((part) =>
      logs.send(
        new StartLiveTailCommand({
          logGroupIdentifiers: part.map(({ arn }) => arn),
          ...(pattern !== '' && { logEventFilterPattern: pattern }),
        }),
        { abortSignal: signal },
      ),
    ),
  );
  const updates = merge(sessions.flatMap(({ responseStream }) => responseStream ?? []));
  try {
    for await (const update of updates) {
      if (signal.aborted) return;
      if (update.SessionTimeoutException) throw new ServiceFault('failed', 'Live Tail ended after three hours.');
      if (update.SessionStreamingException) throw new ServiceFault('failed', 'Live Tail failed.');
      for (const { timestamp = 0, message = '' } of update.sessionUpdate?.sessionResults ?? [])
        yield { at: new Date(timestamp), message };
    }
  } catch (error) {
    // Ctrl-C ends the stream with an error.
    if (!signal.aborted) throw error;
  }
}

/** Yields what several streams yield, as it arrives, until one of them fails or all have ended. */
async function* merge(
  streams: readonly AsyncIterable<StartLiveTailResponseStream>[],
): AsyncGenerator<StartLiveTailResponseStream> {
  const iterators = streams.map((one) => one[Symbol.asyncIterator]());
  const next = async (index: number) => ({ index, result: await iterators[index]?.next() });
  const pending = new Map(iterators.map((_, index) => [index, next(index)]));
  while (pending.size > 0) {
    const { index, result } = await Promise.race(pending.values());
    if (result === undefined || result.done) {
      pending.delete(index);
      continue;
    }
    pending.set(index, next(index));
    yield result.value;
  }
}
