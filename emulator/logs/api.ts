import * as z from 'zod';
import { type LoopbackServer, readBody, serveOnLoopback } from '../loopback-server';
import { arnOf } from '../resource-types';
import type { LogEvent } from './insights/row';
import { MOST_ROWS, type Period } from './insights/run-query';
import { QuerySyntaxError } from './insights/syntax-error';
import { createQueries, type Queries } from './queries';

/** A query under a name, as the template saves it. */
export interface QueryDefinition {
  readonly id: string;
  readonly name: string;
  readonly queryString: string;
  readonly logGroupNames: readonly string[];
}

/** What is searched. */
export interface Logs {
  readonly logGroups: readonly { readonly name: string; readonly retentionInDays?: number | undefined }[];
  readonly queryDefinitions: readonly QueryDefinition[];
  /** The events of a log group, in any order. Those outside of the period may be among them. */
  read(logGroup: string, period: Period): AsyncIterable<LogEvent>;
}

/** Thrown for what CloudWatch Logs answers with an error of this name. */
class LogsError extends Error {
  constructor(
    override readonly name: string,
    message: string,
  ) {
    super(message);
  }
}

const page = { nextToken: z.string().optional() };
const queryId = z.object({ queryId: z.string() });

const schemas = {
  StartQuery: z.object({
    queryString: z.string(),
    queryLanguage: z.literal('CWLI').optional(),
    logGroupName: z.string().optional(),
    logGroupNames: z.array(z.string()).default([]),
    logGroupIdentifiers: z.array(z.string()).default([]),
    /** Unix time in seconds, both inclusive. */
    startTime: z.int(),
    endTime: z.int(),
    limit: z.int().min(1).max(MOST_ROWS).optional(),
  }),
  GetQueryResults: queryId,
  StopQuery: queryId,
  DescribeQueryDefinitions: z.object({
    queryDefinitionNamePrefix: z.string().default(''),
    maxResults: z.int().default(1_000),
    ...page,
  }),
  DescribeLogGroups: z.object({
    logGroupNamePrefix: z.string().default(''),
    logGroupNamePattern: z.string().default(''),
    limit: z.int().default(50),
    ...page,
  }),
};
type Action = keyof typeof schemas;

/** Serves the actions of CloudWatch Logs that find log groups and run Insights queries over them. */
export async function startLogsApi(logsOf: () => Logs | undefined, preferredPort?: number): Promise<LoopbackServer> {
  const queries = createQueries();
  const server = await serveOnLoopback(async (request, response) => {
    const answer = (status: number, body: unknown) =>
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));
    const text = (await readBody(request)).toString() || '{}';
    const action = String(request.headers['x-amz-target']).replace('Logs_20140328.', '');
    const logs = logsOf();
    if (!logs || !isAction(action)) {
      answer(400, { __type: 'UnknownOperationException', message: `${action} is not served here` });
      return;
    }
    try {
      answer(200, act(logs, queries, action, JSON.parse(text)));
    } catch (error) {
      const refusal = toRefusal(error);
      if (!refusal) {
        throw error;
      }
      answer(400, refusal);
    }
  }, preferredPort);
  return {
    ...server,
    stop: () => {
      queries.stopAll();
      return server.stop();
    },
  };
}

const isAction = (name: string): name is Action => name in schemas;

function toRefusal(error: unknown): object | undefined {
  if (error instanceof LogsError) {
    return { __type: error.name, message: error.message };
  }
  if (error instanceof z.ZodError) {
    return { __type: 'InvalidParameterException', message: z.prettifyError(error) };
  }
  if (error instanceof QuerySyntaxError) {
    const { message, start, end } = error;
    const location = { startCharOffset: start, endCharOffset: end };
    return { __type: 'MalformedQueryException', message, queryCompileError: { location, message } };
  }
  return undefined;
}

function act(logs: Logs, queries: Queries, action: Action, body: unknown): unknown {
  switch (action) {
    case 'StartQuery': {
      const { queryString, startTime, endTime, limit, ...where } = schemas[action].parse(body);
      const names = [where.logGroupName ?? [], where.logGroupNames, where.logGroupIdentifiers.map(nameOfIdentifier)];
      const logGroups = [...new Set(names.flat())];
      const unknown = logGroups.find((name) => !logs.logGroups.some((group) => group.name === name));
      if (unknown !== undefined) {
        throw new LogsError('ResourceNotFoundException', `Log group '${unknown}' does not exist.`);
      }
      if (logGroups.length === 0 || endTime < startTime) {
        throw new LogsError('InvalidParameterException', 'A query needs log groups, and a start before its end.');
      }
      const period = { fromMs: startTime * 1_000, toMs: (endTime + 1) * 1_000 };
      const events = readAll(logGroups.map((name) => logs.read(name, period)));
      return { queryId: queries.start(queryString, events, { limit, period }) };
    }
    case 'GetQueryResults': {
      const { status, rows, statistics } = queryAt(queries, schemas[action].parse(body).queryId);
      return { queryLanguage: 'CWLI', status, results: rows, statistics };
    }
    case 'StopQuery': {
      const query = queryAt(queries, schemas[action].parse(body).queryId);
      if (query.status !== 'Running') {
        throw new LogsError('InvalidParameterException', `The query is ${query.status} and cannot be stopped.`);
      }
      query.stop();
      return { success: true };
    }
    case 'DescribeQueryDefinitions': {
      const { queryDefinitionNamePrefix, maxResults, nextToken } = schemas[action].parse(body);
      const wanted = logs.queryDefinitions.filter(({ name }) => name.startsWith(queryDefinitionNamePrefix));
      const { items, ...next } = pageOf(wanted, maxResults, nextToken);
      return {
        queryDefinitions: items.map(({ id, ...definition }) => ({
          queryDefinitionId: id,
          queryLanguage: 'CWLI',
          ...definition,
        })),
        ...next,
      };
    }
    case 'DescribeLogGroups': {
      const { logGroupNamePrefix, logGroupNamePattern, limit, nextToken } = schemas[action].parse(body);
      const wanted = logs.logGroups
        .filter(({ name }) => name.startsWith(logGroupNamePrefix) && name.includes(logGroupNamePattern))
        .sort((a, b) => (a.name < b.name ? -1 : 1));
      const { items, ...next } = pageOf(wanted, limit, nextToken);
      return {
        logGroups: items.map(({ name, retentionInDays }) => ({
          logGroupName: name,
          retentionInDays,
          arn: arnOf('logs', `log-group:${name}:*`),
          logGroupArn: arnOf('logs', `log-group:${name}`),
        })),
        ...next,
      };
    }
  }
}

function queryAt(queries: Queries, id: string) {
  const query = queries.find(id);
  if (!query) {
    throw new LogsError('ResourceNotFoundException', `There is no query ${id}.`);
  }
  return query;
}

/** A log group's ARN, with or without `:*`, or its name. */
const nameOfIdentifier = (identifier: string): string =>
  identifier.replace(/^arn:aws:logs:[^:]*:[^:]*:log-group:/, '').replace(/:\*$/, '');

async function* readAll(sources: readonly AsyncIterable<LogEvent>[]) {
  for (const events of sources) {
    yield* events;
  }
}

/** A token is where the next page begins. */
function pageOf<T>(all: readonly T[], size: number, nextToken = '0') {
  const start = Number(nextToken);
  const end = start + size;
  return { items: all.slice(start, end), ...(end < all.length && { nextToken: String(end) }) };
}
