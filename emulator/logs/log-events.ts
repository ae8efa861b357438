import { createHash } from 'node:crypto';
import * as z from 'zod';
import { type Action, action, pageOf, ServiceError } from '../json-service';
import { arnOf } from '../resource-types';
import { compileFilterPattern } from './filter-pattern';
import type { LogEvent } from './insights/row';
import type { Logs } from './logs';

const maxEvents = 10_000;
/** Size limit on the messages of one page. */
const maxPageBytes = 1024 * 1024;
/** Bytes that CloudWatch Logs adds to each message's size. */
const eventOverheadBytes = 26;

const where = { logGroupName: z.string().optional(), logGroupIdentifier: z.string().optional() };
/** Unix times in ms: start inclusive, end exclusive. */
const period = { startTime: z.int().min(0).optional(), endTime: z.int().min(0).optional() };
const limit = z.int().min(1).max(maxEvents).default(maxEvents);

interface StreamSummary {
  readonly name: string;
  firstAt: number;
  lastAt: number;
}

/** Creates the actions that read the events and streams of one log group, as `aws logs tail` does. */
export const createEventActions = (logs: Logs): Readonly<Record<string, Action>> => {
  const groupOf = ({ logGroupName, logGroupIdentifier }: z.infer<z.ZodObject<typeof where>>): string => {
    const name = logGroupName ?? nameOfIdentifier(logGroupIdentifier ?? '');
    if (!logs.logGroups.some((group) => group.name === name)) {
      throw new ServiceError('ResourceNotFoundException', 'The specified log group does not exist.');
    }
    return name;
  };
  const read = async (
    group: string,
    { startTime = 0, endTime = Number.POSITIVE_INFINITY }: z.infer<z.ZodObject<typeof period>>,
    isWanted: (event: LogEvent) => boolean,
  ): Promise<LogEvent[]> => {
    const events: LogEvent[] = [];
    for await (const event of logs.read(group, { fromMs: startTime, toMs: endTime })) {
      if (event.timestamp >= startTime && event.timestamp < endTime && isWanted(event)) {
        events.push(event);
      }
    }
    return events.sort((a, b) => a.timestamp - b.timestamp);
  };

  return {
    FilterLogEvents: action(
      {
        ...where,
        ...period,
        logStreamNames: z.array(z.string()).min(1).max(100).optional(),
        logStreamNamePrefix: z.string().optional(),
        filterPattern: z.string().default(''),
        limit,
        nextToken: z.string().optional(),
        interleaved: z.boolean().optional(),
        unmask: z.boolean().optional(),
      },
      async ({ logStreamNames, logStreamNamePrefix = '', filterPattern, limit, nextToken, ...request }) => {
        const matches = compileFilterPattern(filterPattern);
        const events = await read(
          groupOf(request),
          request,
          ({ logStream, message }) =>
            (logStreamNames?.includes(logStream) ?? true) &&
            logStream.startsWith(logStreamNamePrefix) &&
            matches(message),
        );
        const count = withinPage(pageOf(events, limit, nextToken).items).length;
        const page = pageOf(events, count, nextToken);
        const start = Number(nextToken ?? 0);
        return {
          events: page.items.map((event, index) => ({
            logStreamName: event.logStream,
            eventId: eventIdOf(events, start + index),
            ...timed(event),
          })),
          searchedLogStreams: [],
          nextToken: page.nextToken,
        };
      },
    ),

    GetLogEvents: action(
      {
        ...where,
        ...period,
        logStreamName: z.string(),
        limit,
        nextToken: z.string().optional(),
        startFromHead: z.boolean().default(false),
        unmask: z.boolean().optional(),
      },
      async ({ logStreamName, limit, nextToken, startFromHead, ...request }) => {
        const events = await read(groupOf(request), request, ({ logStream }) => logStream === logStreamName);
        const { start, end } = rangeOf(events, limit, nextToken ?? (startFromHead ? 'f/0' : `b/${events.length}`));
        return {
          events: events.slice(start, end).map(timed),
          // At either end of the stream, the response repeats the request's token.
          nextForwardToken: `f/${end}`,
          nextBackwardToken: `b/${start}`,
        };
      },
    ),

    DescribeLogStreams: action(
      {
        ...where,
        logStreamNamePrefix: z.string().default(''),
        orderBy: z.enum(['LogStreamName', 'LastEventTime']).default('LogStreamName'),
        descending: z.boolean().default(false),
        limit: z.int().min(1).max(50).default(50),
        nextToken: z.string().optional(),
      },
      async ({ logStreamNamePrefix, orderBy, descending, limit, nextToken, ...request }) => {
        const group = groupOf(request);
        const streams = await summarize(logs.read(group, { fromMs: 0, toMs: Number.POSITIVE_INFINITY }));
        const ascending = streams
          .filter(({ name }) => name.startsWith(logStreamNamePrefix))
          .sort((a, b) => (orderBy === 'LastEventTime' ? a.lastAt - b.lastAt : a.name < b.name ? -1 : 1));
        const page = pageOf(descending ? ascending.reverse() : ascending, limit, nextToken);
        return {
          logStreams: page.items.map(({ name, firstAt, lastAt }) => ({
            logStreamName: name,
            creationTime: firstAt,
            firstEventTimestamp: firstAt,
            lastEventTimestamp: lastAt,
            lastIngestionTime: lastAt,
            arn: arnOf('logs', `log-group:${group}:log-stream:${name}`),
          })),
          nextToken: page.nextToken,
        };
      },
    ),
  };
};

/** The name of a log group from its ARN, with or without `:*`, or from its name. */
export const nameOfIdentifier = (identifier: string): string =>
  identifier.replace(/^arn:aws:logs:[^:]*:[^:]*:log-group:/, '').replace(/:\*$/, '');

const timed = ({ timestamp, message }: LogEvent) => ({ timestamp, message, ingestionTime: timestamp });

/** The first events that fit into one page, at least one. */
const withinPage = (events: readonly LogEvent[]): readonly LogEvent[] => {
  let sizeBytes = 0;
  const tooMany = events.findIndex(({ message }, index) => {
    sizeBytes += Buffer.byteLength(message) + eventOverheadBytes;
    return sizeBytes > maxPageBytes && index > 0;
  });
  return tooMany < 0 ? events : events.slice(0, tooMany);
};

/** Reads a token: with `f/INDEX` the page starts at the index, with `b/INDEX` it ends there. */
const rangeOf = (
  events: readonly LogEvent[],
  limit: number,
  token: string,
): { readonly start: number; readonly end: number } => {
  const [, direction, index] = /^([fb])\/(\d{1,9})$/.exec(token) ?? [];
  if (direction === undefined) {
    throw new ServiceError('InvalidParameterException', 'The specified nextToken is invalid.');
  }
  const from = Math.min(Number(index), events.length);
  if (direction === 'f') {
    return { start: from, end: from + withinPage(events.slice(from, from + limit)).length };
  }
  const newestFirst = events.slice(Math.max(0, from - limit), from).reverse();
  return { start: from - withinPage(newestFirst).length, end: from };
};

/** 56 digits. An event has the same id in every response: `aws logs tail --follow` shows each id once. */
const eventIdOf = (events: readonly LogEvent[], index: number): string => {
  const { timestamp, logStream, message } = events[index] ?? { timestamp: 0, logStream: '', message: '' };
  let equals = 0;
  for (let before = index - 1; events[before]?.timestamp === timestamp; before--) {
    equals += Number(events[before]?.message === message && events[before]?.logStream === logStream);
  }
  const hash = createHash('sha256').update(`${logStream}\n${equals}\n${message}`).digest();
  return `${timestamp}${hash.readBigUInt64BE(0)}${hash.readBigUInt64BE(8)}`.padEnd(56, '0').slice(0, 56);
};

const summarize = async (events: AsyncIterable<LogEvent>): Promise<StreamSummary[]> => {
  const streams = new Map<string, StreamSummary>();
  for await (const { logStream: name, timestamp } of events) {
    const stream = streams.get(name) ?? { name, firstAt: timestamp, lastAt: timestamp };
    stream.firstAt = Math.min(stream.firstAt, timestamp);
    stream.lastAt = Math.max(stream.lastAt, timestamp);
    streams.set(name, stream);
  }
  return [...streams.values()];
};
