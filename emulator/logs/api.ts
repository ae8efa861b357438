import * as z from 'zod';
import { type Action, action, type JsonService, pageOf, ServiceError, serveJsonService } from '../json-service';
import type { LoopbackServer } from '../loopback-server';
import { arnOf } from '../resource-types';
import type { LogEvent } from './insights/row';
import { maxRows } from './insights/run-query';
import { QuerySyntaxError } from './insights/syntax-error';
import { createEventActions, nameOfIdentifier } from './log-events';
import type { Logs } from './logs';
import { createPutActions } from './put-events';
import { createQueries, type Queries } from './queries';

const service: JsonService = {
  name: 'CloudWatch Logs',
  targetPrefix: 'Logs_20140328',
  version: '1.1',
  validationError: 'InvalidParameterException',
  tokenError: 'InvalidParameterException',
};

/** Serves the actions of CloudWatch Logs that list log groups, read and put events, and run Insights queries. */
export const startLogsApi = async (logsOf: () => Logs | undefined, preferredPort?: number): Promise<LoopbackServer> => {
  const queries = createQueries();
  const actionsOf = () => {
    const logs = logsOf();
    return (
      logs && {
        ...createEventActions(logs),
        ...createPutActions(logs),
        ...createQueryActions(logs, queries),
        ...createFinders(logs),
      }
    );
  };
  const server = await serveJsonService(service, actionsOf, preferredPort);
  return {
    ...server,
    stop: () => {
      queries.stopAll();
      return server.stop();
    },
  };
};

const createQueryActions = (logs: Logs, queries: Queries): Readonly<Record<string, Action>> => {
  const queryAt = (id: string) => {
    const query = queries.find(id);
    if (!query) {
      throw new ServiceError('ResourceNotFoundException', `There is no query ${id}.`);
    }
    return query;
  };

  return {
    StartQuery: action(
      {
        queryString: z.string(),
        queryLanguage: z.literal('CWLI').optional(),
        logGroupName: z.string().optional(),
        logGroupNames: z.array(z.string()).default([]),
        logGroupIdentifiers: z.array(z.string()).default([]),
        /** Unix time in seconds, both inclusive. */
        startTime: z.int(),
        endTime: z.int(),
        limit: z.int().min(1).max(maxRows).optional(),
      },
      ({ queryString, startTime, endTime, limit, ...where }) => {
        const names = [where.logGroupName ?? [], where.logGroupNames, where.logGroupIdentifiers.map(nameOfIdentifier)];
        const logGroups = [...new Set(names.flat())];
        const unknown = logGroups.find((name) => !logs.logGroups.some((group) => group.name === name));
        if (unknown !== undefined) {
          throw new ServiceError('ResourceNotFoundException', `Log group '${unknown}' does not exist.`);
        }
        if (logGroups.length === 0 || endTime < startTime) {
          throw new ServiceError(
            'InvalidParameterException',
            'A query needs log groups, and a start that is not after its end.',
          );
        }
        const period = { fromMs: startTime * 1_000, toMs: (endTime + 1) * 1_000 };
        const events = readAll(logGroups.map((name) => logs.read(name, period)));
        return { queryId: orMalformed(() => queries.start(queryString, events, { limit, period })) };
      },
    ),
    GetQueryResults: action({ queryId: z.string() }, ({ queryId }) => {
      const { status, rows, statistics } = queryAt(queryId);
      return { queryLanguage: 'CWLI', status, results: rows, statistics };
    }),
    StopQuery: action({ queryId: z.string() }, ({ queryId }) => {
      const query = queryAt(queryId);
      if (query.status !== 'Running') {
        throw new ServiceError('InvalidParameterException', `The query is ${query.status} and cannot be stopped.`);
      }
      query.stop();
      return { success: true };
    }),
  };
};

/** Reports a syntax error in a query as CloudWatch does. */
const orMalformed = <T>(start: () => T): T => {
  try {
    return start();
  } catch (error) {
    if (!(error instanceof QuerySyntaxError)) {
      throw error;
    }
    const { message, start: startCharOffset, end: endCharOffset } = error;
    const location = { startCharOffset, endCharOffset };
    throw new ServiceError('MalformedQueryException', message, { queryCompileError: { location, message } });
  }
};

const createFinders = (logs: Logs): Readonly<Record<string, Action>> => ({
  DescribeQueryDefinitions: action(
    {
      queryDefinitionNamePrefix: z.string().default(''),
      maxResults: z.int().min(1).max(1_000).default(1_000),
      nextToken: z.string().optional(),
    },
    ({ queryDefinitionNamePrefix, maxResults, nextToken }) => {
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
    },
  ),
  DescribeLogGroups: action(
    {
      logGroupNamePrefix: z.string().default(''),
      logGroupNamePattern: z.string().default(''),
      limit: z.int().min(1).max(50).default(50),
      nextToken: z.string().optional(),
    },
    ({ logGroupNamePrefix, logGroupNamePattern, limit, nextToken }) => {
      const wanted = logs.logGroups
        .filter(({ name }) => name.startsWith(logGroupNamePrefix) && name.includes(logGroupNamePattern))
        .toSorted((a, b) => (a.name < b.name ? -1 : 1));
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
    },
  ),
});

async function* readAll(sources: readonly AsyncIterable<LogEvent>[]) {
  for (const events of sources) {
    yield* events;
  }
}
