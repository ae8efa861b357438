import { MalformedQueryException } from '@aws-sdk/client-cloudwatch-logs';
import type { Command } from 'commander';
import * as z from 'zod';
import { createLogService, type QueryProgress, type SavedQuery, withSubjectId } from '../services/logs';
import { inSequence, renderEvents } from './event-view';
import { exitCodes } from './exit-codes';
import { countSchema, sinceSchema, UsageError } from './input';
import { follow } from './logs-follow';
import { oneLine, plural, renderTable, type Surroundings } from './terminal';
import type { Attach, Session } from './verb';

/** The limit of CloudWatch Logs Insights. */
const maxRows = 10_000;

/** Most queries end within this time. */
const quietPolls = 3;

/** Matches the beginning of a query. Anything else is the name of a saved query. */
const queryPattern = /^\s*(#|(fields|display|filter|parse|stats|sort|dedup|limit|pattern)\s)/i;

interface LogsInput {
  readonly query?: string | undefined;
  readonly id?: string | undefined;
  readonly since: Date;
  readonly limit: number;
  readonly follow: boolean;
}

const help = `
With --follow, [query] is a filter pattern of CloudWatch Logs, such as ERROR or
'{ $.level = "ERROR" }'; "order <id>", "request <id>" and "run <id>" follow one
of them. On AWS, this opens Live Tail sessions, and prints what they cost.`;

/** Adds `logs`. */
export const addLogsCommand = (program: Command, attach: Attach, now: Surroundings['now']): void => {
  const logs = program
    .command('logs')
    .description('search the logs of all Lambdas and of the API; without a query, list the saved ones')
    .argument('[query]', 'a CloudWatch Logs Insights query, or a word from the name of a saved one')
    .argument('[id]', 'id of the order, request or sync run, for a saved query that needs one')
    .option('--since <when>', 'start of the search: 30m, 24h, 7d, or an ISO 8601 time', '24h')
    .option('--limit <count>', `maximum number of rows, up to ${maxRows}`, '1000')
    .option('--follow', 'show new lines as they arrive, until Ctrl-C; [query] is then a filter pattern')
    .addHelpText('after', help);
  attach(logs, {
    schema: z.object({
      query: z.string().trim().min(1, 'is empty').optional(),
      id: z
        .string()
        .regex(/^[\w.:-]{1,128}$/, 'is not an id')
        .optional(),
      since: sinceSchema(now),
      limit: countSchema(maxRows),
      follow: z.boolean().default(false),
    }),
    run: async (input, session) => {
      if (input.follow) return follow(patternOf(input), session);
      return input.query === undefined ? listSaved(session) : search(await searchOf(input, session), input, session);
    },
  });
};

/** @throws {UsageError} if an id follows anything but the kind of its subject */
const patternOf = ({ query = '', id }: LogsInput): string => {
  if (id === undefined) return query;
  if (/^(order|request|run)$/.test(query)) return `{ $.${query}_id = "${id}" }`;
  throw new UsageError([`"${id}" follows the pattern: quote the whole pattern`]);
};

const listSaved = async ({ stage, stageLabel, terminal }: Session): Promise<number> => {
  const saved = await createLogService(stage).listSaved();
  const queries = saved.map((query) => ({ name: query.name, command: commandFor(query), query: query.queryString }));
  terminal.result({ stage: stage.name, queries }, () =>
    queries.length === 0
      ? `No queries are saved in ${stageLabel}.`
      : queries
          // Most commands contain the name of their query.
          .map(({ name, command }) => (command.includes(`"${name}"`) ? command : `${command.padEnd(36)}# ${name}`))
          .join('\n'),
  );
  return exitCodes.done;
};

const commandFor = ({ name, subject, isMain }: SavedQuery): string =>
  `pipeline logs ${isMain ? subject : `"${name}"`}${subject === undefined ? '' : ` <${subject} id>`}`;

/** A query to run. */
interface Search {
  readonly queryString: string;
  /** Whether each row is an event of one order, request or run. */
  readonly listsEvents: boolean;
}

/** @throws {UsageError} if the text is neither a query nor the name of a saved one */
const searchOf = async ({ query = '', id }: LogsInput, { stage }: Session): Promise<Search> => {
  if (query.includes('|') || queryPattern.test(query)) {
    if (id !== undefined) throw new UsageError([`"${id}" follows the query: quote the whole query`]);
    return { queryString: query, listsEvents: false };
  }
  const saved = await createLogService(stage).listSaved();
  const found = findSaved(query, saved);
  if (found === undefined) {
    const names = saved.map(({ name }) => `"${name}"`).join(', ');
    throw new UsageError([`"${query}" is neither a query nor the name of exactly one saved query: ${names}`]);
  }
  if ((found.subject === undefined) !== (id === undefined)) {
    throw new UsageError([`"${found.name}" needs this form: ${commandFor(found)}`]);
  }
  const queryString = id === undefined ? found.queryString : withSubjectId(found, id);
  return { queryString, listsEvents: found.isMain };
};

/** Finds the only saved query with this name, this subject, or these words in its name. */
const findSaved = (words: string, saved: readonly SavedQuery[]): SavedQuery | undefined => {
  const wanted = words.toLowerCase();
  const exact = saved.find(
    ({ name, subject, isMain }) => name.toLowerCase() === wanted || (isMain && subject === wanted),
  );
  const [only, ...others] = saved.filter(({ name }) => name.toLowerCase().includes(wanted));
  return exact ?? (others.length === 0 ? only : undefined);
};

const search = (
  { queryString, listsEvents }: Search,
  { since, limit }: LogsInput,
  session: Session,
): Promise<number> => {
  const { stage, stageLabel, terminal, now } = session;
  const until = new Date(now());
  return session.interruptible(async (signal) => {
    const live = terminal.live();
    let last: QueryProgress | undefined;
    let polls = 0;
    try {
      for await (const progress of createLogService(stage).run(queryString, { since, until, limit, signal })) {
        last = progress;
        if (++polls <= quietPolls) continue;
        const where = plural(progress.logGroups.length, 'log group');
        live.show(progress.ended ? [] : [`Searching ${where}: ${plural(progress.recordsScanned, 'line')} so far`]);
      }
    } catch (error) {
      if (error instanceof MalformedQueryException) throw new UsageError([error.message]);
      throw error;
    }
    const { ended = false, rows = [], recordsScanned = 0, recordsMatched = 0, bytesScanned = 0 } = last ?? {};
    if (!ended) terminal.note('The query was stopped.');
    if (rows.length === limit) terminal.note(`Showing the first ${limit} rows; --limit shows more.`);
    const document = {
      stage: stage.name,
      query: queryString,
      since: since.toISOString(),
      until: until.toISOString(),
      complete: ended,
      rows: rows.map((row) => Object.fromEntries(row)),
      lines_read: recordsScanned,
      lines_matched: recordsMatched,
      bytes_read: bytesScanned,
    };
    terminal.result(document, () =>
      rows.length === 0
        ? `Nothing found in ${plural(recordsScanned, 'line')} of ${stageLabel} since ${since.toISOString()}.`
        : listsEvents
          ? renderEvents(inSequence(rows), terminal.colors)
          : renderRows(rows),
    );
    return ended ? exitCodes.done : exitCodes.aborted;
  });
};

const renderRows = (rows: QueryProgress['rows']): string => {
  // A row has only the columns that it has values for, so the longest rows give the column order.
  const columns = [...new Set([...rows].sort((a, b) => b.size - a.size).flatMap((row) => [...row.keys()]))];
  return renderTable(
    rows.map((row) => columns.map((column) => oneLine(row.get(column) ?? ''))),
    columns,
  );
};
